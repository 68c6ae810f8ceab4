#pragma once
// Pre-tokenizers: how text is cut into the pieces that BPE merges within. The published patterns have hand-written
// scanners; any other regex runs in PCRE2.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace r1::text {

// One cutting step. kDigits and kDigitRuns are the reference's "Digits" (each digit alone, or runs of digits); the
// others are regexes whose matches, and the text between matches, become pieces ("Split", behavior "Isolated").
enum class SplitKind {
  kGpt2,
  kQwen2,
  kLlama3,
  kDeepSeekNumbers,
  kDeepSeekCjk,
  kDeepSeekText,
  kDigits,
  kDigitRuns,
  kRegex
};

// A compiled regex of Oniguruma's language, as far as PCRE2 can mean the same; the rest is refused by name.
class SplitRegex {
 public:
  SplitRegex(const std::string& pattern, const std::string& where);
  ~SplitRegex();
  SplitRegex(const SplitRegex&) = delete;
  SplitRegex& operator=(const SplitRegex&) = delete;

  // Ends of the matches and of the gaps between them, in order. Throws Error if the pattern backtracks without bound.
  std::vector<size_t> piece_ends(std::string_view text) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
  std::string pattern_, where_;
};

struct SplitStep {
  SplitKind kind;
  std::string pattern;                      // kRegex and the named regexes: as tokenizer.json writes it
  std::shared_ptr<const SplitRegex> regex;  // kRegex only
};

// The step for a regex: a scanner if it is one of the published ones, else PCRE2. `where` opens errors.
SplitStep step_of_regex(const std::string& pattern, const std::string& where);
// A step by its kind (not kRegex).
SplitStep step_of_kind(SplitKind kind);

// Ends of the pieces of valid UTF-8; each step cuts every piece of the step before, as if it stood alone.
std::vector<size_t> piece_ends(std::span<const SplitStep> steps, std::string_view text);

}  // namespace r1::text
