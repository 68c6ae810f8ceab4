#pragma once
// Absorbed attention of one query row and up to four heads, in one form for each instruction set. Private to
// kernels/mla: written once, in latent_tiles.inc, and compiled for both.

#include <cstdint>

namespace r1::kernels::latent {

constexpr int kMaxHeads = 4;

struct Task {
  const float* q = nullptr;  // [num_heads][dim]
  int num_heads = 0;         // 1 .. kMaxHeads
  int64_t rank = 0, dim = 0;
  const int32_t* block_table = nullptr;
  int64_t context = 0;
  int64_t first = 0;  // tokens of the context that are left out
  float scale = 0;
  const float* cache = nullptr;  // blocks of [dim][16]
  float* scores = nullptr;       // working memory [num_heads][context rounded up to 16]
  float* out = nullptr;          // [num_heads][rank]
};

// For the active instruction set.
using Attend = void (*)(const Task&);
Attend attend();

}  // namespace r1::kernels::latent
