#!/usr/bin/env bash
# Sets up, builds and runs every test, and then a few seconds of each fuzz target that is quick to build. Further arguments
# go to ctest, as in scripts/test.sh -R kernels; then nothing is fuzzed.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
scripts/build.sh release
ctest=$(command -v .venv/bin/ctest || command -v ctest)
"$ctest" --test-dir build/release --output-on-failure --no-tests=error "$@"
if (($# == 0)); then
  # Leaks are looked for by ptrace, which some containers forbid; scripts/fuzz.sh by itself looks for them.
  ASAN_OPTIONS=detect_leaks=0 R1_FUZZ_FLAGS="-seed=1 -verbosity=0 -detect_leaks=0" \
    scripts/fuzz.sh 5 code_block format math_answer math_parser result_frame || (($? == 77))
fi
