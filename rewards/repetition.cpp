#include "rewards/repetition.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "text/unicode.h"

namespace r1::rewards {
namespace {

constexpr size_t kMaxWord = 32;  // bytes; what is longer is no word, and would hide a loop without blanks

bool is_written_without_blanks(char32_t c) {
  return (c >= 0x0E00 && c <= 0x0EFF) || (c >= 0x1000 && c <= 0x109F) || (c >= 0x1780 && c <= 0x17FF) ||
         (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) || (c >= 0x20000 && c <= 0x3FFFF);
}

// Hashes of the words, in order.
class Words {
 public:
  explicit Words(std::string_view text) {
    for (size_t i = 0; i < text.size();) {
      const auto unit = text::utf8_unit_at(text, i);
      const auto bytes = text.substr(i, unit.size);
      i += unit.size;
      const bool is_valid = unit.kind == text::Utf8Unit::Kind::kValid;
      const auto c = is_valid ? text::code_point_at(bytes, 0).value : U'\uFFFD';
      const auto cls = text::char_class(c);
      if (cls & (text::kLetter | text::kNumber | text::kMark) && !is_written_without_blanks(c)) {
        append(bytes);
        continue;
      }
      end_word();
      if (!(cls & text::kSpace)) hashes_.push_back(hash64(bytes));
    }
    end_word();
  }

  std::vector<uint64_t> take() { return std::move(hashes_); }

 private:
  void append(std::string_view bytes) {
    for (const char b : bytes) word_ += b >= 'A' && b <= 'Z' ? static_cast<char>(b | 0x20) : b;
  }

  void end_word() {
    if (word_.size() <= kMaxWord) {
      if (!word_.empty()) hashes_.push_back(hash64(word_));
    } else {
      for (const char b : word_) hashes_.push_back(static_cast<unsigned char>(b));
    }
    word_.clear();
  }

  std::vector<uint64_t> hashes_;
  std::string word_;
};

}  // namespace

void validate(const RepetitionOptions& o) {
  if (o.ngram < 1) {
    throw Error("rewards.repetition_ngram", fmt::format("must be at least 1, got {}", o.ngram), "use 6, or 3 to 40");
  }
  if (!(o.free_share >= 0 && o.free_share < 1)) {
    throw Error("rewards.repetition_free_share", fmt::format("must lie in [0, 1), got {}", o.free_share), "use 0.1");
  }
}

double repeated_share(std::string_view text, int64_t ngram) {
  const auto words = Words(text).take();
  const auto length = static_cast<size_t>(ngram);
  if (words.size() <= length) return 0;
  const size_t count = words.size() - length + 1;
  // A rolling polynomial over the words' hashes, modulo 2^64: equal n-grams get equal sums.
  constexpr uint64_t kBase = 0x9E3779B97F4A7C15;
  uint64_t power = 1, sum = 0;
  for (size_t i = 0; i < length; ++i) {
    sum = sum * kBase + mix64(words[i]);
    power *= kBase;
  }
  std::vector<uint64_t> sums{sum};
  sums.reserve(count);
  for (size_t i = length; i < words.size(); ++i) {
    sum = sum * kBase + mix64(words[i]) - power * mix64(words[i - length]);
    sums.push_back(sum);
  }
  std::sort(sums.begin(), sums.end());
  const auto num_different = std::unique(sums.begin(), sums.end()) - sums.begin();
  return 1 - static_cast<double>(num_different) / static_cast<double>(count);
}

Score RepetitionReward::score(const Prompt&, std::string_view completion, FinishReason) const {
  const double share = repeated_share(completion, options_.ngram);
  const double over = std::max(0.0, (share - options_.free_share) / (1 - options_.free_share));
  return {.value = over == 0 ? 0.0 : -over,
          .verdict = Verdict::kRight,
          .parts = {},
          .detail =
              over == 0 ? std::string() : fmt::format("{:.0f} % of its {}-grams repeat", 100 * share, options_.ngram)};
}

}  // namespace r1::rewards
