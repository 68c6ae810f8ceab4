// Oniguruma patterns (Ruby syntax, as the reference tokenizers compile them) in PCRE2. Where the two mean different
// things by the same letters the pattern is rewritten, and what cannot be rewritten is refused.

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/error.h"
#include "text/split.h"
#include "text/unicode.h"

namespace r1::text {
namespace {

// PCRE2's \s holds U+180E, and its \w lacks letters with no category L; these are Oniguruma's sets.
constexpr std::string_view kSpaceSet =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view kWordSet = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
constexpr size_t kMaxPattern = 1 << 16;
constexpr uint32_t kMatchLimit = 10'000'000;  // steps of backtracking in one match

// Walks a pattern once, copying what both engines read alike.
class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where) : pattern_(pattern), where_(where) {}

  std::string run() {
    if (pattern_.size() > kMaxPattern) refuse("is longer than 65536 bytes");
    while (pos_ < pattern_.size()) {
      const char c = pattern_[pos_];
      if (c == '\\') {
        escape();
      } else if (c == '[') {
        open_class();
      } else if (c == ']' && class_depth_ > 0) {
        --class_depth_;
        copy(1);
      } else if (c == '(' && class_depth_ == 0) {
        open_group();
      } else {
        plain(c);
      }
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(where_, fmt::format("regex '{}' {}", pattern_, what),
                "use the pattern of GPT-2, Qwen2, Llama-3 or DeepSeek-V3, or write it with \\p{...}, \\s, \\d, \\w and "
                "plain groups");
  }

  void copy(size_t count) {
    out_.append(pattern_, pos_, count);
    pos_ += count;
  }

  void plain(char c) {
    if (class_depth_ > 0 && pattern_.substr(pos_, 2) == "&&") refuse("intersects classes with '&&'");
    if (class_depth_ == 0 && pattern_.substr(pos_, 2) == "{,") refuse("has a count without a lower bound");
    if (c == '#' || c == ' ' || c == '\t') {  // plain in both, as no option (?x) is let through
      out_ += '\\';
    }
    copy(1);
  }

  void open_class() {
    if (class_depth_ > 0) refuse("nests a class in a class");
    ++class_depth_;
    copy(1);
    if (pos_ < pattern_.size() && pattern_[pos_] == '^') copy(1);
    if (pos_ < pattern_.size() && pattern_[pos_] == ']') refuse("begins a class with ']'");
    if (pattern_.substr(pos_, 2) == "[:") refuse("uses a POSIX class");
  }

  void open_group() {
    const auto head = pattern_.substr(pos_, 4);
    if (!head.starts_with("(?")) return copy(1);
    for (const std::string_view known : {"(?:", "(?=", "(?!", "(?>", "(?i:", "(?<=", "(?<!"}) {
      if (head.starts_with(known)) return copy(known.size());
    }
    refuse(fmt::format("opens a group with '{}'", head));
  }

  void set_or_class(std::string_view set, bool is_negated) {
    if (class_depth_ == 0) {
      out_ += fmt::format("[{}{}]", is_negated ? "^" : "", set);
    } else if (is_negated) {
      refuse("has a negated shorthand (\\S, \\D or \\W) inside a class");
    } else {
      out_ += set;
    }
    pos_ += 2;
  }

  void escape() {
    if (pos_ + 1 == pattern_.size()) refuse("ends in a backslash");
    const char c = pattern_[pos_ + 1];
    switch (c) {
      case 's':
      case 'S':
        return set_or_class(kSpaceSet, c == 'S');
      case 'w':
      case 'W':
        return set_or_class(kWordSet, c == 'W');
      case 'd':
      case 'D':
        return set_or_class(R"(\p{Nd})", c == 'D');
      case 'p':
      case 'P':
        return property();
      case 'x':
      case 'r':
      case 'n':
      case 't':
      case 'f':
        return copy(2);
      case 'u':
        return code_point_escape();
      default:
        break;
    }
    const bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_alnum) refuse(fmt::format("uses '\\{}'", c));
    copy(2);
  }

  void property() {
    const size_t end = pattern_.find('}', pos_);
    if (pos_ + 2 >= pattern_.size() || pattern_[pos_ + 2] != '{' || end == std::string_view::npos) {
      refuse("names a property without braces");
    }
    copy(end + 1 - pos_);
  }

  // \uHHHH, which PCRE2 writes \x{HHHH}.
  void code_point_escape() {
    const auto digits = pattern_.substr(pos_ + 2, 4);
    if (digits.size() < 4 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      refuse("has '\\u' without four hexadecimal digits");
    }
    out_ += fmt::format("\\x{{{}}}", digits);
    pos_ += 6;
  }

  std::string_view pattern_;
  const std::string& where_;
  std::string out_;
  size_t pos_ = 0;
  int class_depth_ = 0;
};

std::string message_of(int code) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(code, text, sizeof(text));
  return reinterpret_cast<const char*>(text);
}

}  // namespace

struct SplitRegex::Code {
  pcre2_code* code = nullptr;
  ~Code() { pcre2_code_free(code); }
};

SplitRegex::SplitRegex(const std::string& pattern, const std::string& where)
    : code_(std::make_unique<Code>()), pattern_(pattern), where_(where) {
  const auto translated = Translator(pattern_, where).run();
  int error = 0;
  PCRE2_SIZE offset = 0;
  // Ruby's ^ and $ match at every line.
  code_->code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (!code_->code) {
    throw Error(where, fmt::format("regex '{}' does not compile: {}", pattern, message_of(error)),
                "use the pattern of GPT-2, Qwen2, Llama-3 or DeepSeek-V3");
  }
  pcre2_jit_compile(code_->code, PCRE2_JIT_COMPLETE);  // without it, or without memory for it, matching is just slower
}

SplitRegex::~SplitRegex() = default;

std::vector<size_t> SplitRegex::piece_ends(std::string_view text) const {
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
      pcre2_match_data_create_from_pattern(code_->code, nullptr), &pcre2_match_data_free);
  const std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context(
      pcre2_match_context_create(nullptr), &pcre2_match_context_free);
  pcre2_set_match_limit(context.get(), kMatchLimit);
  std::vector<size_t> ends;
  size_t gap = 0;
  for (size_t pos = 0; pos < text.size();) {
    const auto match = [&](uint32_t options) {
      return pcre2_match(code_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), pos,
                         PCRE2_NO_UTF_CHECK | options, data.get(), context.get());
    };
    int result = match(0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = match(PCRE2_NO_JIT);
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0) {
      throw Error(where_, fmt::format("regex '{}' fails at byte {} of the text: {}", pattern_, pos, message_of(result)),
                  "use a pattern that backtracks less");
    }
    const auto* found = pcre2_get_ovector_pointer(data.get());
    pos = found[1];
    if (found[0] >= found[1]) {  // an empty match cuts nothing
      if (pos < text.size()) pos += code_point_at(text, pos).size;
      continue;
    }
    if (gap < found[0]) ends.push_back(found[0]);
    ends.push_back(found[1]);
    gap = found[1];
  }
  if (gap < text.size()) ends.push_back(text.size());
  return ends;
}

}  // namespace r1::text
