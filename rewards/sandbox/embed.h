#pragma once
// A file's bytes as part of this program, for one source file that CMakeLists.txt tells the file's path.

#include <string_view>

#define R1_EMBED(symbol, file)                                                                          \
  asm(".pushsection .rodata\n.balign 16\n.globl " #symbol "_begin\n" #symbol "_begin:\n.incbin \"" file \
      "\"\n.globl " #symbol "_end\n" #symbol "_end:\n.byte 0\n.popsection\n");                          \
  extern "C" {                                                                                          \
  extern const char symbol##_begin[], symbol##_end[];                                                   \
  }
#define R1_EMBEDDED(symbol) std::string_view(symbol##_begin, static_cast<size_t>(symbol##_end - symbol##_begin))
