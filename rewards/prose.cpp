#include "rewards/prose.h"

#include <algorithm>

namespace r1::rewards {
namespace {

constexpr size_t kMaxTag = 64;        // bytes between < and >
constexpr size_t kMinProseWords = 6;  // in a formula or in code with signs, before it counts as prose
constexpr size_t kWordsPerSign = 4;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_sign(char c) { return std::string_view("=(){}[]<>+*/\\_^&|%#@;").find(c) != std::string_view::npos; }

// Whether what stands in code or in a formula is running text in fact: some words and no signs at all, or many words
// and few signs. Letters beyond ASCII come in words of three bytes (a character of Chinese), so that scripts without
// blanks count too. The signs of \text{...} do not count.
bool reads_as_prose(std::string_view text) {
  size_t num_words = 0, num_signs = 0, num_forgiven = 0;
  for (size_t i = 0; i < text.size();) {
    if (!is_letter(text[i])) {
      const bool is_delimiter =
          text[i] == '\\' && i + 1 < text.size() && std::string_view("()[]").find(text[i + 1]) != text.npos;
      num_signs += !is_delimiter && is_sign(text[i]);
      i += is_delimiter ? 2 : 1;
      continue;
    }
    const size_t begin = i;
    size_t num_wide = 0;
    while (i < text.size() && is_letter(text[i])) num_wide += static_cast<unsigned char>(text[i++]) >= 0x80;
    const bool is_command = begin > 0 && text[begin - 1] == '\\';
    const auto word = text.substr(begin, i - begin);
    if (is_command && (word.starts_with("text") || word == "mbox" || word == "begin" || word == "end"))
      num_forgiven += 3;
    if (!is_command && word.size() >= 2) num_words += std::max<size_t>(1, num_wide / 3);
  }
  num_signs -= std::min(num_signs, num_forgiven);
  return num_signs == 0 ? num_words >= 2 : num_words >= kMinProseWords && num_words >= kWordsPerSign * num_signs;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<std::string_view> run() {
    while (at_ < text_.size()) {
      if (const auto end = end_of_span(); end > at_) {
        skip_to(end);
      } else {
        ++at_;
      }
    }
    emit(begin_, text_.size());
    return std::move(pieces_);
  }

 private:
  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void emit(size_t begin, size_t end) {
    if (end > begin) pieces_.push_back(text_.substr(begin, end - begin));
  }

  void skip_to(size_t end) {
    emit(begin_, at_);
    const auto inside = text_.substr(at_, end - at_);
    if (is_guarded_ && reads_as_prose(inside)) pieces_.push_back(inside);
    at_ = begin_ = end;
  }

  // Behind the next `closing` from `from` on, or 0. A closing that is not there is looked for once.
  size_t behind(std::string_view closing, size_t from, size_t& known_missing) {
    if (from >= known_missing) return 0;
    const auto place = text_.find(closing, from);
    if (place != text_.npos) return place + closing.size();
    known_missing = from;
    return 0;
  }

  // The end of what is left out from here on, or at_ if the text goes on.
  size_t end_of_span() {
    is_guarded_ = true;
    switch (text_[at_]) {
      case '`':
      case '~':
        return fence_or_code();
      case '$':
        return dollars();
      case '\\':
        return backslash();
      case '<':
        return tag();
      default:
        is_guarded_ = false;
        return address();
    }
  }

  size_t fence_or_code() {
    const char mark = text_[at_];
    size_t count = 1;
    while (at_ + count < text_.size() && text_[at_ + count] == mark) ++count;
    if (count >= 3) {  // one that does not close is code to the end
      const auto end = behind(text_.substr(at_, 3), at_ + count, mark == '`' ? no_fence_ : no_tilde_fence_);
      return end > 0 ? end : text_.size();
    }
    if (mark == '~') return at_;
    const auto end = behind("`", at_ + count, no_backtick_);
    const bool is_on_one_line = end > 0 && text_.substr(at_, end - at_).find('\n') == text_.npos;
    return is_on_one_line ? end : at_;
  }

  // $...$ as Pandoc reads it: no blank within next to a dollar, no digit behind the closing one, on one line; so that
  // "$5 and $6" are prices.
  size_t dollars() {
    if (starts("$$")) {
      const auto end = behind("$$", at_ + 2, no_dollars_);
      return end > 0 ? end : at_;
    }
    if (at_ + 1 >= text_.size() || is_blank(text_[at_ + 1])) return at_;
    const auto close = text_.find_first_of("$\n", at_ + 1);
    if (close == text_.npos || text_[close] == '\n' || is_blank(text_[close - 1])) return at_;
    const bool is_price = close + 1 < text_.size() && text_[close + 1] >= '0' && text_[close + 1] <= '9';
    return is_price ? at_ : close + 1;
  }

  size_t backslash() {
    size_t end = 0;
    if (starts("\\(")) end = behind("\\)", at_ + 2, no_round_);
    if (starts("\\[")) end = behind("\\]", at_ + 2, no_square_);
    if (starts("\\begin{")) end = environment();
    if (end > 0) return end;
    is_guarded_ = false;
    end = at_ + 1;
    while (end < text_.size() && end - at_ < kMaxTag && is_letter(text_[end]) && text_[end] > 0) ++end;
    return end > at_ + 1 ? end : at_;
  }

  size_t environment() {
    const auto brace = text_.substr(at_, kMaxTag).find('}');
    if (brace == text_.npos) return 0;
    const auto end = behind("\\end{", at_ + brace, no_end_);
    if (end == 0) return 0;
    const auto close = text_.substr(end, kMaxTag).find('}');
    return close == text_.npos ? end : end + close + 1;
  }

  // Blanks stand only before attributes.
  size_t tag() {
    const auto inside = text_.substr(at_ + 1, kMaxTag);
    const auto end = inside.find_first_of(">\n");
    if (end == 0 || end == inside.npos || inside[end] == '\n') return at_;
    const char first = inside[0];
    const bool has_blank = inside.substr(0, end).find_first_of(" \t") != inside.npos;
    const bool is_tag = (is_letter(first) || first == '/' || first == '!' || first == '|') &&
                        (!has_blank || inside.substr(0, end).find('=') != inside.npos);
    return is_tag ? at_ + end + 2 : at_;
  }

  size_t address() {
    if (at_ > 0 && is_letter(text_[at_ - 1])) return at_;
    if (starts("http://") || starts("https://") || starts("www.")) {
      size_t end = at_;
      while (end < text_.size() && text_[end] > ' ' && text_[end] < 0x7F) ++end;
      return end;
    }
    size_t end = at_;  // name@host
    bool has_at = false;
    while (end < text_.size() && end - at_ < kMaxTag && (is_letter(text_[end]) || is_name_sign(text_[end]))) {
      has_at |= text_[end++] == '@';
    }
    return has_at ? end : at_;
  }

  static bool is_name_sign(char c) { return c == '@' || c == '.' || c == '-' || (c >= '0' && c <= '9'); }

  std::string_view text_;
  size_t at_ = 0, begin_ = 0;  // begin_: of the piece being read
  bool is_guarded_ = false;    // what is left out must not be prose
  std::vector<std::string_view> pieces_;
  // From where on each closing is known to be missing.
  size_t no_fence_ = -1, no_tilde_fence_ = -1, no_backtick_ = -1, no_dollars_ = -1, no_round_ = -1, no_square_ = -1,
         no_end_ = -1;
};

}  // namespace

std::vector<std::string_view> prose_of(std::string_view text) { return Scanner(text).run(); }

}  // namespace r1::rewards
