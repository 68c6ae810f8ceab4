#include <malloc.h>

#include <cstdio>
#include <exception>
#include <string_view>

#include "cli/commands.h"
#include "core/cancel.h"
#include "core/error.h"

namespace {

int usage(std::FILE* out) {
  fmt::print(out, "r1: teaches a language model to reason by reinforcement learning\n\nusage: r1 COMMAND [OPTIONS]\n\n");
  for (const auto& command : r1::cli::commands()) fmt::print(out, "  {:12}{}\n", command.name, command.summary);
  fmt::print(out, "\n`r1 COMMAND --help` tells a command's options.\n");
  return out == stdout ? 0 : 2;
}

// Activations are megabytes that come and go every pass: keep them in the heap instead of mapping them anew.
void keep_large_blocks() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

}  // namespace

int main(int argc, char** argv) try {
  keep_large_blocks();
  r1::install_stop_signals();
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (word == "--help" || word == "-h" || word == "help") return usage(stdout);
  for (const auto& command : r1::cli::commands()) {
    if (command.name == word) return command.run(argc - 2, argv + 2);
  }
  if (!word.empty()) fmt::print(stderr, "r1: no command '{}'\n\n", word);
  return usage(stderr);
} catch (const std::exception& e) {
  std::fflush(stdout);
  fmt::print(stderr, "r1: {}\n", e.what());
  return 1;
}
