#include "text/bpe_learner.h"

#include <algorithm>

#include "text/byte_map.h"

namespace r1::text {
namespace {

uint64_t pair_of(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}
int32_t left_of(uint64_t pair) { return static_cast<int32_t>(pair >> 32); }
int32_t right_of(uint64_t pair) { return static_cast<int32_t>(pair & 0xFFFFFFFF); }

// Replaces each occurrence of the pair, from the left.
void replace_pair(std::vector<int32_t>& tokens, int32_t left, int32_t right, int32_t merged) {
  size_t kept = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] == left && i + 1 < tokens.size() && tokens[i + 1] == right) {
      tokens[kept++] = merged;
      ++i;
    } else {
      tokens[kept++] = tokens[i];
    }
  }
  tokens.resize(kept);
}

}  // namespace

BpeLearner::BpeLearner(int32_t num_special) : num_special_(num_special) {
  for (int byte = 0; byte < 256; ++byte) bytes_of_.emplace_back(1, static_cast<char>(byte));
  std::sort(bytes_of_.begin(), bytes_of_.end(), [](const std::string& a, const std::string& b) {
    return char_of_byte(static_cast<uint8_t>(a[0])) < char_of_byte(static_cast<uint8_t>(b[0]));
  });
  for (const auto& byte : bytes_of_) id_of_.emplace(byte, num_special_ + static_cast<int32_t>(id_of_.size()));
}

std::vector<int32_t> BpeLearner::encode(std::string_view bytes) const {
  std::vector<int32_t> tokens;
  for (const char byte : bytes) tokens.push_back(id_of_.at(std::string(1, byte)));
  while (true) {
    size_t best = merges_.size();
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      const auto found = rank_of_.find(pair_of(tokens[i], tokens[i + 1]));
      if (found != rank_of_.end()) best = std::min(best, found->second);
    }
    if (best == merges_.size()) return tokens;
    replace_pair(tokens, merges_[best].left, merges_[best].right, merges_[best].merged);
  }
}

void BpeLearner::add_merge(int32_t left, int32_t right) {
  const auto [at, is_new] = id_of_.emplace(bytes(left) + bytes(right), num_tokens());
  const int32_t merged = at->second;
  if (is_new) bytes_of_.push_back(at->first);
  rank_of_.emplace(pair_of(left, right), merges_.size());
  merges_.push_back({left, right, merged});
}

void BpeLearner::require(std::string_view bytes) {
  // A merge of higher rank never undoes an earlier required token: the ones before it are exhausted first.
  for (auto tokens = encode(bytes); tokens.size() > 1; tokens = encode(bytes)) add_merge(tokens[0], tokens[1]);
}

void BpeLearner::add_word(std::string_view bytes, int64_t count) {
  words_.push_back({encode(bytes), count});
  count_pairs(static_cast<uint32_t>(words_.size() - 1), +1);
}

void BpeLearner::count_pairs(uint32_t word, int64_t sign) {
  const auto& [tokens, count] = words_[word];
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    auto& use = pairs_[pair_of(tokens[i], tokens[i + 1])];
    use.count += sign * count;
    if (sign > 0 && (use.words.empty() || use.words.back() != word)) use.words.push_back(word);
  }
}

// Counts in the queue are from when they were put there: one that has fallen since goes back with what it is now.
std::optional<BpeLearner::Candidate> BpeLearner::pop_commonest() {
  while (!queue_.empty()) {
    const auto top = queue_.top();
    queue_.pop();
    const int64_t count = pairs_[top.pair].count;
    if (count == top.count) return top;
    if (count > 0) queue_.push({count, top.pair});
  }
  return std::nullopt;
}

void BpeLearner::apply_last_merge(Pair pair, bool is_new_token) {
  const auto merge = merges_.back();
  const auto words = std::move(pairs_[pair].words);
  pairs_[pair].words.clear();
  std::vector<Pair> grown;
  for (const uint32_t word : words) {
    auto& tokens = words_[word].tokens;
    const auto before = tokens;
    replace_pair(tokens, merge.left, merge.right, merge.merged);
    if (tokens.size() == before.size()) continue;  // an entry for a pair that is no longer there
    auto after = std::move(tokens);
    // A token that other merges made already may now meet the partners that it has in them.
    if (!is_new_token) {
      std::string text;
      for (const int32_t token : after) text += bytes(token);
      after = encode(text);
    }
    tokens = before;
    count_pairs(word, -1);
    tokens = std::move(after);
    count_pairs(word, +1);
    for (size_t i = 0; i + 1 < tokens.size(); ++i) grown.push_back(pair_of(tokens[i], tokens[i + 1]));
  }
  std::sort(grown.begin(), grown.end());
  grown.erase(std::unique(grown.begin(), grown.end()), grown.end());
  for (const Pair p : grown) {
    if (!is_new_token || left_of(p) == merge.merged || right_of(p) == merge.merged) queue_.push({pairs_[p].count, p});
  }
}

void BpeLearner::learn(int32_t num_tokens_wanted, int64_t min_frequency) {
  for (const auto& [pair, use] : pairs_) queue_.push({use.count, pair});
  while (num_tokens() < num_tokens_wanted) {
    const auto best = pop_commonest();
    if (!best || best->count < std::max<int64_t>(min_frequency, 1)) return;
    const int32_t num_before = num_tokens();
    add_merge(left_of(best->pair), right_of(best->pair));
    apply_last_merge(best->pair, num_tokens() > num_before);
  }
}

}  // namespace r1::text
