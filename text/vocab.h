#pragma once
// A model vocabulary: token texts and their ids, in one arena under an open-addressed hash table, so that 150,000
// tokens load in a few milliseconds.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace r1::text {

// A token file writes most tokens in the byte-level alphabet (text/byte_map.h); a token with a character outside it
// stands for its own UTF-8 bytes and never matches bytes of text.
class Vocab {
 public:
  // What a token is looked up by.
  enum class Key {
    kBytes,  // the bytes that it stands for
    kText,   // its text, of a token outside the byte-level alphabet
  };

  explicit Vocab(size_t expected_tokens);

  // Takes a token as the file writes it. False if `id` is taken by another text; a text seen before moves to this id.
  bool add(std::string_view text, int32_t id);

  size_t size() const { return num_tokens_; }  // distinct texts
  int32_t max_id() const { return static_cast<int32_t>(by_id_.size()) - 1; }

  int32_t find(std::string_view bytes, Key key = Key::kBytes) const;  // -1 if absent
  int32_t find_text(std::string_view text) const;                     // by the file's writing

  bool has(int32_t id) const;
  std::string_view bytes(int32_t id) const;  // empty if absent
  std::string text(int32_t id) const;        // the file's writing

 private:
  struct Entry {
    uint32_t offset = 0, size = 0;
    bool is_present = false;
    Key key = Key::kBytes;
  };
  size_t slot_of(std::string_view bytes, Key key) const;
  void grow();

  std::string arena_;
  std::vector<Entry> by_id_;
  std::vector<uint64_t> slots_;  // hash's upper half | id + 1; 0 is free
  size_t num_tokens_ = 0;
};

// Largest id that a file of `num_tokens` tokens may use: some files leave gaps, none leaves more.
constexpr int64_t max_plausible_id(size_t num_tokens) { return 2 * static_cast<int64_t>(num_tokens) + 65536; }

}  // namespace r1::text
