#include "text/vocab.h"

#include <bit>

#include "core/hash.h"
#include "text/byte_map.h"

namespace r1::text {
namespace {

constexpr uint64_t kHashPart = 0xFFFFFFFF00000000;
constexpr int32_t id_in(uint64_t slot) { return static_cast<int32_t>(slot & ~kHashPart) - 1; }

uint64_t hash_of(std::string_view bytes, Vocab::Key key) { return hash64(bytes, static_cast<uint64_t>(key)); }

}  // namespace

Vocab::Vocab(size_t expected_tokens) : slots_(std::bit_ceil(2 * expected_tokens + 16)) {
  by_id_.reserve(expected_tokens);
  arena_.reserve(8 * expected_tokens);
}

size_t Vocab::slot_of(std::string_view bytes, Key key) const {
  const uint64_t hash = hash_of(bytes, key);
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    const uint64_t slot = slots_[i];
    if (slot == 0) return i;
    if ((slot ^ hash) & kHashPart) continue;
    const auto& entry = by_id_[id_in(slot)];
    if (entry.key == key && std::string_view(arena_).substr(entry.offset, entry.size) == bytes) return i;
  }
}

void Vocab::grow() {
  const auto old = std::move(slots_);
  slots_.assign(2 * old.size(), 0);
  for (const uint64_t slot : old) {
    if (slot == 0) continue;
    const auto& entry = by_id_[id_in(slot)];
    slots_[slot_of(std::string_view(arena_).substr(entry.offset, entry.size), entry.key)] = slot;
  }
}

bool Vocab::add(std::string_view text, int32_t id) {
  if (2 * (num_tokens_ + 1) > slots_.size()) grow();
  const size_t offset = arena_.size();
  const Key key = append_unmapped(text, arena_) ? Key::kBytes : Key::kText;
  if (key == Key::kText) arena_ += text;
  const std::string_view bytes = std::string_view(arena_).substr(offset);
  const size_t slot = slot_of(bytes, key);
  if (has(id)) return slots_[slot] != 0 && id_in(slots_[slot]) == id;
  if (static_cast<size_t>(id) >= by_id_.size()) by_id_.resize(id + 1);
  if (slots_[slot] != 0) {
    by_id_[id_in(slots_[slot])] = {};
  } else {
    ++num_tokens_;
  }
  by_id_[id] = {static_cast<uint32_t>(offset), static_cast<uint32_t>(bytes.size()), true, key};
  slots_[slot] = (hash_of(bytes, key) & kHashPart) | static_cast<uint32_t>(id + 1);
  return true;
}

int32_t Vocab::find(std::string_view bytes, Key key) const {
  const uint64_t slot = slots_[slot_of(bytes, key)];
  return slot == 0 ? -1 : id_in(slot);
}

int32_t Vocab::find_text(std::string_view text) const {
  std::string bytes;
  return append_unmapped(text, bytes) ? find(bytes) : find(text, Key::kText);
}

bool Vocab::has(int32_t id) const {
  return id >= 0 && static_cast<size_t>(id) < by_id_.size() && by_id_[id].is_present;
}

std::string_view Vocab::bytes(int32_t id) const {
  if (!has(id)) return {};
  return std::string_view(arena_).substr(by_id_[id].offset, by_id_[id].size);
}

std::string Vocab::text(int32_t id) const {
  if (!has(id)) return {};
  return by_id_[id].key == Key::kText ? std::string(bytes(id)) : mapped_text(bytes(id));
}

}  // namespace r1::text
