#include "text/split.h"

#include "core/error.h"
#include "text/split_scanners.h"
#include "text/unicode.h"

namespace r1::text {
namespace {

struct KnownStep {
  SplitKind kind;
  Matcher match;
  std::string_view pattern;  // empty: not a regex in tokenizer.json
};

constexpr KnownStep kKnownSteps[] = {
    {SplitKind::kGpt2, match_gpt2, ""},
    {SplitKind::kQwen2, match_qwen2,
     R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})re"
     R"re(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"},
    {SplitKind::kLlama3, match_llama3,
     R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})re"
     R"re(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"},
    {SplitKind::kDeepSeekNumbers, match_three_numbers, R"re(\p{N}{1,3})re"},
    {SplitKind::kDeepSeekCjk, match_cjk, "[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+"},
    {SplitKind::kDeepSeekText, match_deepseek_text,
     R"re([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)re"
     R"re(| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"},
    {SplitKind::kDigits, match_digit, ""},
    {SplitKind::kDigitRuns, match_digit_run, ""},
};

const KnownStep& known(SplitKind kind) {
  for (const auto& step : kKnownSteps) {
    if (step.kind == kind) return step;
  }
  throw Error("text::step_of_kind", "kRegex has no pattern of its own", "use step_of_regex(pattern)");
}

// Published files write line ends in patterns as escapes or as the characters themselves.
std::string with_escaped_line_ends(const std::string& pattern) {
  std::string out;
  for (const char c : pattern) {
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// Matches and the gaps between them, within text[begin, end).
void cut(std::string_view text, Matcher match, size_t offset, std::vector<size_t>& ends) {
  size_t gap = 0;
  for (size_t pos = 0; pos < text.size();) {
    const size_t end = match(text, pos);
    if (end == pos) {
      pos += code_point_at(text, pos).size;
      continue;
    }
    if (gap < pos) ends.push_back(offset + pos);
    ends.push_back(offset + end);
    pos = gap = end;
  }
  if (gap < text.size()) ends.push_back(offset + text.size());
}

}  // namespace

SplitStep step_of_kind(SplitKind kind) { return {kind, std::string(known(kind).pattern), nullptr}; }

SplitStep step_of_regex(const std::string& pattern, const std::string& where) {
  const auto escaped = with_escaped_line_ends(pattern);
  for (const auto& step : kKnownSteps) {
    if (!step.pattern.empty() && step.pattern == escaped) return {step.kind, pattern, nullptr};
  }
  return {SplitKind::kRegex, pattern, std::make_shared<const SplitRegex>(pattern, where)};
}

std::vector<size_t> piece_ends(std::span<const SplitStep> steps, std::string_view text) {
  std::vector<size_t> ends;
  if (text.empty()) return ends;
  ends.push_back(text.size());
  std::vector<size_t> next;
  for (const auto& step : steps) {
    next.clear();
    next.reserve(step.regex ? ends.size() : ends.size() + text.size() / 4);
    const auto match = step.regex ? nullptr : known(step.kind).match;
    size_t begin = 0;
    for (const size_t end : ends) {
      const auto piece = text.substr(begin, end - begin);
      if (match) {
        cut(piece, match, begin, next);
      } else {
        for (const size_t piece_end : step.regex->piece_ends(piece)) next.push_back(begin + piece_end);
      }
      begin = end;
    }
    ends.swap(next);
  }
  return ends;
}

}  // namespace r1::text
