#!/usr/bin/env bash
# Builds and runs libFuzzer targets: scripts/fuzz.sh SECONDS [NAME ...], where NAME is that of tests/fuzz/NAME.cpp; all of
# them without one. Starts from the corpus kept in tests/fuzz/corpus/NAME; what is found goes to build/fuzz/corpus/NAME, and
# inputs that crash to build/fuzz/crashes/NAME. R1_FUZZ_FLAGS holds further options of libFuzzer, such as -seed=1. Exits
# with 77 where there is no clang with libFuzzer.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: scripts/fuzz.sh SECONDS [NAME ...]}
shift
names=("$@")
if ((${#names[@]} == 0)); then
  for source in tests/fuzz/*.cpp; do names+=("$(basename "$source" .cpp)"); done
fi
if ! echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
  clang++ -fsanitize=fuzzer,address -x c++ - -o /dev/null 2>/dev/null; then
  echo "fuzz: skipped, for there is no clang++ with libFuzzer; scripts/setup.sh installs clang and libclang-rt-14-dev"
  exit 77
fi
scripts/build.sh fuzz "${names[@]/#/fuzz_}"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
read -ra flags <<< "${R1_FUZZ_FLAGS:-}"
for name in "${names[@]}"; do
  mkdir -p "build/fuzz/corpus/$name" "build/fuzz/crashes/$name" "tests/fuzz/corpus/$name"
  echo "fuzz: $name for $seconds s"
  "build/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
    "${flags[@]}" -artifact_prefix="build/fuzz/crashes/$name/" "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
done
