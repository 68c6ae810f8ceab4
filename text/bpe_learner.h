#pragma once
// The merging half of training: words as tokens, the counts of their pairs, and the merges made so far.

#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/bpe.h"

namespace r1::text {

class BpeLearner {
 public:
  // Tokens begin as `num_special` ids that no word uses, then the 256 bytes.
  explicit BpeLearner(int32_t num_special);

  // Makes `bytes` one token by adding merges until the ones there are join it. Call before any word is added.
  void require(std::string_view bytes);
  void add_word(std::string_view bytes, int64_t count);
  // Merges the commonest pair until there are `num_tokens` tokens or no pair occurs `min_frequency` times.
  void learn(int32_t num_tokens, int64_t min_frequency);

  int32_t num_tokens() const { return num_special_ + static_cast<int32_t>(bytes_of_.size()); }
  const std::string& bytes(int32_t id) const { return bytes_of_[id - num_special_]; }
  const std::vector<Merge>& merges() const { return merges_; }

 private:
  using Pair = uint64_t;
  struct Word {
    std::vector<int32_t> tokens;
    int64_t count;
  };
  struct Candidate {
    int64_t count;
    Pair pair;
    bool operator<(const Candidate& o) const { return count != o.count ? count < o.count : pair > o.pair; }
  };
  struct PairUse {
    int64_t count = 0;
    std::vector<uint32_t> words;  // that may hold the pair, with repetitions
  };

  std::vector<int32_t> encode(std::string_view bytes) const;
  void add_merge(int32_t left, int32_t right);
  void count_pairs(uint32_t word, int64_t sign);
  std::optional<Candidate> pop_commonest();
  void apply_last_merge(Pair pair, bool is_new_token);

  int32_t num_special_;
  std::vector<std::string> bytes_of_;  // by id, after the special ones
  std::unordered_map<std::string, int32_t> id_of_;
  std::vector<Merge> merges_;
  std::unordered_map<Pair, size_t> rank_of_;
  std::vector<Word> words_;
  std::unordered_map<Pair, PairUse> pairs_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace r1::text
