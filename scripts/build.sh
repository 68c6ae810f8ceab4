#!/usr/bin/env bash
# Configures and builds one preset (default: release): scripts/build.sh [PRESET] [TARGET ...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
shift || true
cmake=$(command -v .venv/bin/cmake || command -v cmake)
"$cmake" --preset "$preset" >/dev/null
"$cmake" --build --preset "$preset" ${*:+--target "$@"}
