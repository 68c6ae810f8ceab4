#!/usr/bin/env bash
# Builds and runs libFuzzer targets: scripts/fuzz.sh SECONDS [NAME ...], where NAME is that of tests/fuzz/NAME.cpp; all of
# them without one. Starts from the corpus kept in tests/fuzz/corpus/NAME; what is found goes to build/fuzz/corpus/NAME, and
# inputs that crash to build/fuzz/crashes/NAME.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: scripts/fuzz.sh SECONDS [NAME ...]}
shift
names=("$@")
if ((${#names[@]} == 0)); then
  for source in tests/fuzz/*.cpp; do names+=("$(basename "$source" .cpp)"); done
fi
scripts/build.sh fuzz "${names[@]/#/fuzz_}"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
for name in "${names[@]}"; do
  mkdir -p "build/fuzz/corpus/$name" "build/fuzz/crashes/$name" "tests/fuzz/corpus/$name"
  echo "fuzz: $name for $seconds s"
  "build/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$name/" "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
done
