#include "text/bpe.h"

#include <atomic>
#include <bit>
#include <cstring>
#include <queue>

#include "core/hash.h"

namespace r1::text {
namespace {

constexpr uint64_t pair_of(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}
// No token has id -1.
constexpr uint64_t kFreePair = pair_of(-1, -1);

// Up to here a scan of all pairs per merge beats a heap.
constexpr size_t kShortPiece = 48;

uint64_t next_serial() {
  static std::atomic<uint64_t> serial{0};
  return ++serial;
}

}  // namespace

MergeTable::MergeTable(const std::vector<Merge>& merges)
    : slots_(std::bit_ceil(merges.size() + merges.size() / 2 + 16), Slot{kFreePair, {}}) {
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto pair = pair_of(merges[rank].left, merges[rank].right);
    slots_[slot_of(pair)] = {pair, {static_cast<uint32_t>(rank), merges[rank].merged}};
  }
}

size_t MergeTable::slot_of(uint64_t pair) const {
  const size_t mask = slots_.size() - 1;
  size_t i = (pair * 0x9E3779B97F4A7C15 >> 24) & mask;
  while (slots_[i].pair != pair && slots_[i].pair != kFreePair) i = (i + 1) & mask;
  return i;
}

MergeTable::Found MergeTable::find(int32_t left, int32_t right) const {
  return slots_[slot_of(pair_of(left, right))].found;
}

// One line of the processor's cache.
struct alignas(64) Bpe::CachedPiece {
  static constexpr size_t kMaxBytes = 22, kMaxIds = 8;
  uint64_t serial = 0;
  uint8_t num_bytes = 0, num_ids = 0;
  char bytes[kMaxBytes] = {};
  int32_t ids[kMaxIds] = {};
};

Bpe::Bpe(const Vocab& vocab, const std::vector<Merge>& merges, WholePiece whole_piece, UnknownByte unknown)
    : vocab_(vocab), table_(merges), whole_piece_(whole_piece), unknown_(unknown), serial_(next_serial()) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    id_of_byte_[byte] = vocab_.find({&c, 1});
  }
}

// The ids that merging begins with.
template <class Add>
void Bpe::for_each_symbol(std::string_view piece, Add add) const {
  bool follows_unknown = false;
  for (const char byte : piece) {
    const int32_t id = id_of_byte_[static_cast<uint8_t>(byte)];
    if (id >= 0) {
      add(id);
    } else if (unknown_.id >= 0 && !(unknown_.is_fused && follows_unknown)) {
      add(unknown_.id);
    }
    follows_unknown = id < 0;
  }
}

void Bpe::encode(std::string_view piece, std::vector<int32_t>& ids) const {
  constexpr size_t kCacheSize = 8192;  // half a megabyte a thread
  static thread_local std::vector<CachedPiece> cache(kCacheSize);
  if (piece.size() == 1) {
    return for_each_symbol(piece, [&](int32_t id) { ids.push_back(id); });
  }
  if (piece.size() > CachedPiece::kMaxBytes || piece.empty()) return encode_uncached(piece, ids);
  auto& entry = cache[hash64(piece, serial_) % kCacheSize];
  if (entry.serial == serial_ && std::string_view(entry.bytes, entry.num_bytes) == piece) {
    ids.insert(ids.end(), entry.ids, entry.ids + entry.num_ids);
    return;
  }
  const size_t before = ids.size();
  encode_uncached(piece, ids);
  const size_t count = ids.size() - before;
  if (count > CachedPiece::kMaxIds) return;
  entry.serial = serial_;
  entry.num_bytes = static_cast<uint8_t>(piece.size());
  entry.num_ids = static_cast<uint8_t>(count);
  std::memcpy(entry.bytes, piece.data(), piece.size());
  std::copy(ids.begin() + static_cast<ptrdiff_t>(before), ids.end(), entry.ids);
}

void Bpe::encode_uncached(std::string_view piece, std::vector<int32_t>& ids) const {
  if (whole_piece_ == WholePiece::kTakeIfToken) {
    if (const int32_t id = vocab_.find(piece); id >= 0) {
      ids.push_back(id);
      return;
    }
  }
  piece.size() <= kShortPiece ? merge_short(piece, ids) : merge_long(piece, ids);
}

void Bpe::merge_short(std::string_view piece, std::vector<int32_t>& ids) const {
  std::array<int32_t, kShortPiece> symbols;
  std::array<MergeTable::Found, kShortPiece> found;  // of symbols i and i + 1
  size_t count = 0;
  for_each_symbol(piece, [&](int32_t id) { symbols[count++] = id; });
  for (size_t i = 0; i + 1 < count; ++i) found[i] = table_.find(symbols[i], symbols[i + 1]);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (found[i].rank < found[best].rank) best = i;
    }
    if (found[best].rank == MergeTable::kNoRank) break;
    symbols[best] = found[best].merged;
    --count;
    for (size_t i = best + 1; i < count; ++i) {
      symbols[i] = symbols[i + 1];
      found[i - 1] = found[i];
    }
    if (best > 0) found[best - 1] = table_.find(symbols[best - 1], symbols[best]);
    if (best + 1 < count) found[best] = table_.find(symbols[best], symbols[best + 1]);
  }
  ids.insert(ids.end(), symbols.begin(), symbols.begin() + static_cast<ptrdiff_t>(count));
}

void Bpe::merge_long(std::string_view piece, std::vector<int32_t>& ids) const {
  struct Symbol {
    int32_t id;
    size_t previous, next;
  };
  struct Candidate {
    uint32_t rank;
    size_t position;
    int32_t left, right, merged;
    bool operator>(const Candidate& o) const { return rank != o.rank ? rank > o.rank : position > o.position; }
  };
  constexpr size_t kNone = static_cast<size_t>(-1);
  constexpr int32_t kGone = -1;

  std::vector<Symbol> symbols;
  symbols.reserve(piece.size());
  for_each_symbol(piece, [&](int32_t id) {
    symbols.push_back({id, symbols.size() - 1, symbols.size() + 1});  // the first's `previous` is kNone
  });
  if (symbols.empty()) return;
  symbols.back().next = kNone;

  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto offer = [&](size_t left) {
    const size_t right = left == kNone ? kNone : symbols[left].next;
    if (right == kNone) return;
    const auto found = table_.find(symbols[left].id, symbols[right].id);
    if (found.rank != MergeTable::kNoRank) {
      queue.push({found.rank, left, symbols[left].id, symbols[right].id, found.merged});
    }
  };
  for (size_t i = 0; i + 1 < symbols.size(); ++i) offer(i);
  while (!queue.empty()) {
    const auto top = queue.top();
    queue.pop();
    auto& left = symbols[top.position];
    const size_t right = left.next;
    // A pair that has changed since it was queued was queued again as what it became.
    if (left.id != top.left || right == kNone || symbols[right].id != top.right) continue;
    left.id = top.merged;
    left.next = symbols[right].next;
    symbols[right].id = kGone;
    if (left.next != kNone) symbols[left.next].previous = top.position;
    offer(left.previous);
    offer(top.position);
  }
  for (size_t i = 0; i != kNone; i = symbols[i].next) ids.push_back(symbols[i].id);
}

}  // namespace r1::text
