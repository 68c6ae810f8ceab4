#!/usr/bin/env bash
# From a clone to a model that visibly learns to think: sets up, builds, makes a base model, runs GRPO on it, and shows the
# curve and the traces. An interrupted run goes on where it was. `scripts/quickstart.sh FOLDER` keeps the run elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
run=${1:-runs/quickstart}
scripts/setup.sh
scripts/build.sh release r1
r1=build/release/r1
[ -f "$run/base/model/config.json" ] || "$r1" pretrain configs/quickstart.toml --run "$run/base"
[ -f "$run/rl/model/config.json" ] || "$r1" rl configs/quickstart.toml --model "$run/base/model" --run "$run/rl"
"$r1" summary "$run/rl" --base "$run/base" --title quickstart
