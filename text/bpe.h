#pragma once
// Byte-pair merging: from single bytes, again and again the adjacent pair of lowest rank, leftmost first, becomes one
// token (Sennrich et al., arXiv:1508.07909; byte-level as in GPT-2).

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocab.h"

namespace r1::text {

struct Merge {
  int32_t left = 0, right = 0;
  int32_t merged = 0;
};

// Merges by pair in an open-addressed table. A merge's rank is its place in the list; of two for one pair the later
// holds.
class MergeTable {
 public:
  static constexpr uint32_t kNoRank = 0xFFFFFFFF;
  struct Found {
    uint32_t rank = kNoRank;
    int32_t merged = -1;
  };

  explicit MergeTable(const std::vector<Merge>& merges);
  Found find(int32_t left, int32_t right) const;

 private:
  struct Slot {
    uint64_t pair = 0;
    Found found;
  };
  size_t slot_of(uint64_t pair) const;
  std::vector<Slot> slots_;
};

// Whether a piece that is a token as it stands is taken whole (Llama-3), whatever the merges would make of it.
enum class WholePiece { kMerge, kTakeIfToken };

// What a byte that is no token of the vocabulary becomes: nothing, or the token `id`; with is_fused, neighbours become
// one.
struct UnknownByte {
  int32_t id = -1;
  bool is_fused = false;
};

// Encodes pieces. Thread-safe; each thread keeps a bounded cache of short pieces.
class Bpe {
 public:
  // Refers to `vocab`, which must outlive this.
  Bpe(const Vocab& vocab, const std::vector<Merge>& merges, WholePiece whole_piece, UnknownByte unknown = {});

  // Appends the piece's ids.
  void encode(std::string_view piece, std::vector<int32_t>& ids) const;

 private:
  struct CachedPiece;
  template <class Add>
  void for_each_symbol(std::string_view piece, Add add) const;
  void encode_uncached(std::string_view piece, std::vector<int32_t>& ids) const;
  void merge_short(std::string_view piece, std::vector<int32_t>& ids) const;
  void merge_long(std::string_view piece, std::vector<int32_t>& ids) const;

  const Vocab& vocab_;
  MergeTable table_;
  WholePiece whole_piece_;
  UnknownByte unknown_;
  std::array<int32_t, 256> id_of_byte_;  // -1: no token
  uint64_t serial_;                      // names this encoder in the threads' caches; never used twice
};

}  // namespace r1::text
