#!/usr/bin/env bash
# Sets up, builds and runs every test. Further arguments go to ctest, as: scripts/test.sh -R kernels
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
scripts/build.sh release
ctest=$(command -v .venv/bin/ctest || command -v ctest)
"$ctest" --test-dir build/release --output-on-failure --no-tests=error "$@"
