#include "rewards/math/lexer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "rewards/math/budget.h"
#include "rewards/math/unicode_table.h"

namespace r1::rewards::math {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct PunctRow {
  std::string_view command;
  char punct;
};
constexpr PunctRow kPunctCommands[]{
    {"%", '%'},
    {"&", '&'},
    {"ast", '*'},
    {"approx", punct::kApproximately},
    {"backslash", punct::kSetMinus},
    {"bigcap", punct::kIntersection},
    {"bigcup", punct::kUnion},
    {"cap", punct::kIntersection},
    {"cdot", '*'},
    {"cdots", punct::kEllipsis},
    {"circ", punct::kDegree},
    {"colon", ':'},
    {"cup", punct::kUnion},
    {"degree", punct::kDegree},
    {"div", '/'},
    {"dots", punct::kEllipsis},
    {"dotsc", punct::kEllipsis},
    {"doteq", punct::kApproximately},
    {"ge", punct::kGreaterEqual},
    {"geq", punct::kGreaterEqual},
    {"geqslant", punct::kGreaterEqual},
    {"gt", '>'},
    {"in", punct::kElement},
    {"langle", punct::kAngleOpen},
    {"lbrace", punct::kSetOpen},
    {"lbrack", '['},
    {"ldots", punct::kEllipsis},
    {"le", punct::kLessEqual},
    {"leq", punct::kLessEqual},
    {"leqslant", punct::kLessEqual},
    {"lt", '<'},
    {"lvert", '|'},
    {"mid", '|'},
    {"minus", '-'},
    {"mp", punct::kMinusPlus},
    {"ne", punct::kNotEqual},
    {"neq", punct::kNotEqual},
    {"newline", punct::kNewline},
    {"notin", punct::kNotElement},
    {"pm", punct::kPlusMinus},
    {"prime", '\''},
    {"rangle", punct::kAngleClose},
    {"rbrace", punct::kSetClose},
    {"rbrack", ']'},
    {"rightarrow", punct::kArrow},
    {"rvert", '|'},
    {"setminus", punct::kSetMinus},
    {"simeq", punct::kApproximately},
    {"slash", '/'},
    {"times", '*'},
    {"to", punct::kArrow},
    {"vert", '|'},
    {"{", punct::kSetOpen},
    {"|", '|'},
    {"}", punct::kSetClose},
};

constexpr std::string_view kSkippedCommands[]{
    "!",       ",",         ":",           ";",          " ",         "Big",          "Bigg",      "Biggl",
    "Biggr",   "Bigl",      "Bigr",        "big",        "bigg",      "biggl",        "biggr",     "bigl",
    "bigr",    "bm",        "bold",        "boldsymbol", "boxed",     "displaystyle", "fbox",      "hfill",
    "hline",   "it",        "left",        "limits",     "mathbf",    "mathit",       "mathbin",   "mathop",
    "mathrel", "mathstrut", "medspace",    "middle",     "nolimits",  "nonumber",     "qquad",     "quad",
    "right",   "rm",        "scriptstyle", "space",      "textstyle", "thinspace",    "underline",
};

constexpr std::string_view kTextCommands[]{"emph",   "mathrm", "mathsf", "mbox",   "operatorname",
                                           "text",   "textbf", "textit", "textmd", "textnormal",
                                           "textrm", "textsf", "texttt", "textup"};

constexpr std::string_view kFunctionWords[]{"Im",  "Re",  "arccos", "arcsin", "arctan", "arg",  "cos", "cosh", "cot",
                                            "csc", "det", "exp",    "gcd",    "lcm",    "lg",   "ln",  "log",  "max",
                                            "min", "mod", "sec",    "sgn",    "sin",    "sinh", "tan", "tanh", "tr"};

template <typename List>
bool contains(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

class Lexer {
 public:
  Lexer(std::string_view text, CommaStyle style) : text_(text), style_(style) {}

  Tokens run() {
    tokens_.list.reserve(text_.size() / 2 + 4);
    has_odd_dollars_ = std::count(text_.begin(), text_.end(), '$') % 2 != 0;
    scan(text_, 0);
    push({.kind = TokenKind::kEnd});
    return std::move(tokens_);
  }

 private:
  void push(Token token) {
    token.has_space_before = std::exchange(has_space_, false);
    tokens_.list.push_back(token);
  }
  void push_punct(char c) { push({.kind = TokenKind::kPunct, .punct = c}); }
  std::string_view keep(std::string text) { return tokens_.strings.emplace_back(std::move(text)); }

  // `nesting` counts texts within texts, not brackets.
  void scan(std::string_view text, int nesting) {
    if (nesting > 8) throw Overrun{"text commands are nested too deeply"};
    for (size_t at = 0; at < text.size();) {
      const char c = text[at];
      if (c == '$' && has_odd_dollars_ && at + 1 < text.size() && is_digit(text[at + 1])) {
        push({.kind = TokenKind::kText, .text = "$"});
        ++at;
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '$' || c == '~') {
        has_space_ = true;
        ++at;
      } else if (is_digit(c) || (c == '.' && at + 1 < text.size() && is_digit(text[at + 1]))) {
        at = scan_number(text, at);
      } else if (is_letter(c)) {
        const size_t begin = at;
        while (at < text.size() && is_letter(text[at])) ++at;
        push({.kind = TokenKind::kWord, .text = text.substr(begin, at - begin)});
      } else if (c == '\\') {
        at = scan_command(text, at, nesting);
      } else if (static_cast<unsigned char>(c) >= 0x80) {
        at = scan_character(text, at, nesting);
      } else {
        at = scan_punct(text, at);
      }
    }
  }

  size_t scan_punct(std::string_view text, size_t at) {
    const auto two = text.substr(at, 2);
    constexpr std::pair<std::string_view, char> kPairs[]{
        {"<=", punct::kLessEqual}, {">=", punct::kGreaterEqual}, {"!=", punct::kNotEqual}, {"==", '='}, {"**", '^'},
        {"->", punct::kArrow}};
    for (const auto& [pair, meaning] : kPairs) {
      if (two != pair) continue;
      push_punct(meaning);
      return at + 2;
    }
    if (text.substr(at, 3) == "...") {
      push_punct(punct::kEllipsis);
      return at + 3;
    }
    constexpr std::string_view kKnown = "+-*/^_()[]{},;:=<>|!'&%";
    if (kKnown.find(text[at]) == kKnown.npos) throw ParseError{"a character that mathematics does not use"};
    push_punct(text[at]);
    return at + 1;
  }

  size_t scan_character(std::string_view text, size_t at, int nesting) {
    const auto [code_point, length] = decode_utf8(text.substr(at));
    if (length == 0) throw ParseError{"invalid UTF-8"};
    const auto next = at + static_cast<size_t>(length);
    if (is_blank_character(code_point)) {
      has_space_ = true;
      return next;
    }
    if (superscript_of(code_point)) return scan_script(text, at, '^', superscript_of);
    if (subscript_of(code_point)) return scan_script(text, at, '_', subscript_of);
    const auto latex = latex_of(code_point);
    if (!latex.empty()) {
      scan_latex(latex, text, next, nesting);
      return latex.size() == 1 && is_digit(latex[0]) ? full_width_end_ : next;
    }
    push({.kind = TokenKind::kWord, .text = text.substr(at, static_cast<size_t>(length))});
    return next;
  }

  // Full-width digits make one number.
  void scan_latex(std::string_view latex, std::string_view text, size_t next, int nesting) {
    if (latex.size() != 1 || !is_digit(latex[0])) return scan(latex, nesting + 1);
    std::string digits(latex);
    while (next < text.size()) {
      const auto [code_point, length] = decode_utf8(text.substr(next));
      const auto more = length > 1 ? latex_of(code_point) : std::string_view();
      if (more.size() != 1 || !(is_digit(more[0]) || more[0] == '.')) break;
      digits += more[0];
      next += static_cast<size_t>(length);
    }
    full_width_end_ = next;
    scan(keep(digits), nesting + 1);
  }

  size_t scan_script(std::string_view text, size_t at, char mark, char (*meaning)(uint32_t)) {
    std::string script;
    while (at < text.size()) {
      const auto [code_point, length] = decode_utf8(text.substr(at));
      const char c = length > 1 ? meaning(code_point) : '\0';
      if (c == '\0') break;
      script += c;
      at += static_cast<size_t>(length);
    }
    push_punct(mark);
    push_punct('{');
    scan(keep(script), 7);
    push_punct('}');
    return at;
  }

  size_t scan_command(std::string_view text, size_t at, int nesting) {
    size_t end = at + 1;
    while (end < text.size() && is_letter(text[end])) ++end;
    if (end == at + 1 && end < text.size()) ++end;
    const auto name = text.substr(at + 1, end - at - 1);
    if (name.empty()) throw ParseError{"a backslash at the end"};
    if (name == "\\") {
      push_punct(punct::kNewline);
    } else if (name == "$") {
      push({.kind = TokenKind::kText, .text = "$"});
    } else if (name == "(" || name == ")" || name == "[" || name == "]") {
      has_space_ = true;
    } else if (name.starts_with("quad") && name.size() > 4) {  // "\\quadx" for "\\quad x"
      has_space_ = true;
      return at + 5;
    } else if (contains(kSkippedCommands, name)) {
      has_space_ = true;
      const bool is_delimiter = name == "left" || name == "right";
      if (is_delimiter && end < text.size() && text[end] == '.') ++end;
    } else if (contains(kTextCommands, name)) {
      return scan_text(text, end, name, nesting);
    } else if (name == "mathbb" || name == "Bbb" || name == "mathcal") {
      return scan_set_name(text, end);
    } else if (name == "land" || name == "wedge") {
      push({.kind = TokenKind::kWord, .text = "and"});
    } else if (name == "lor" || name == "vee") {
      push({.kind = TokenKind::kWord, .text = "or"});
    } else if (name == "not") {
      return scan_not(text, end);
    } else {
      push_command(name);
    }
    return end;
  }

  void push_command(std::string_view name) {
    const auto row = std::find_if(std::begin(kPunctCommands), std::end(kPunctCommands),
                                  [&](const PunctRow& r) { return r.command == name; });
    if (row != std::end(kPunctCommands)) return push_punct(row->punct);
    if (name == "dfrac" || name == "tfrac" || name == "cfrac") name = "frac";
    if (name == "dbinom" || name == "tbinom") name = "binom";
    push({.kind = TokenKind::kCommand, .text = name});
  }

  size_t scan_not(std::string_view text, size_t at) {
    while (at < text.size() && text[at] == ' ') ++at;
    if (at < text.size() && text[at] == '=') {
      push_punct(punct::kNotEqual);
      return at + 1;
    }
    if (text.substr(at, 3) == "\\in") {
      push_punct(punct::kNotElement);
      return at + 3;
    }
    throw ParseError{"\\not before what it does not negate"};
  }

  // The content of the braces at `at`, and where it ends; nothing if there are none.
  static std::pair<std::string_view, size_t> group_at(std::string_view text, size_t at) {
    while (at < text.size() && text[at] == ' ') ++at;
    if (at >= text.size() || text[at] != '{') return {{}, std::string_view::npos};
    int depth = 0;
    for (size_t i = at; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '{') {
        ++depth;
      } else if (text[i] == '}' && --depth == 0) {
        return {text.substr(at + 1, i - at - 1), i + 1};
      }
    }
    throw ParseError{"unbalanced braces"};
  }

  size_t scan_set_name(std::string_view text, size_t at) {
    const auto [content, end] = group_at(text, at);
    if (end != std::string_view::npos) {
      push({.kind = TokenKind::kCommand, .text = keep("set" + std::string(content))});
      return end;
    }
    while (at < text.size() && text[at] == ' ') ++at;
    if (at == text.size()) throw ParseError{"\\mathbb without its letter"};
    push({.kind = TokenKind::kCommand, .text = keep("set" + std::string(text.substr(at, 1)))});
    return at + 1;
  }

  size_t scan_text(std::string_view text, size_t at, std::string_view command, int nesting) {
    auto [content, end] = group_at(text, at);
    if (end == std::string_view::npos) return at;  // \rm style: what follows is read as it is
    while (!content.empty() && (content.front() == ' ' || content.front() == '~')) content.remove_prefix(1);
    while (!content.empty() && (content.back() == ' ' || content.back() == '~')) content.remove_suffix(1);
    has_space_ = true;
    if (content.empty()) return end;
    const auto is_wordy = [](char c) {
      return is_letter(c) || c == ' ' || c == '.' || c == '-' || c == '\'' || c == ',';
    };
    const bool is_words = std::all_of(content.begin(), content.end(), is_wordy);
    if (command == "operatorname" || contains(kFunctionWords, content)) {
      push({.kind = TokenKind::kCommand, .text = content});
    } else if (content == "and" || content == "or" || content == ", and" || content == ", or") {
      push({.kind = TokenKind::kWord, .text = content.substr(content.find_last_of(' ') + 1)});
    } else if (is_words && std::count_if(content.begin(), content.end(), is_letter) >= 2) {
      push({.kind = TokenKind::kText, .text = content});
    } else if (is_words && is_letter(content[0]) && content.size() == 1 && command != "mathrm" &&
               command != "operatorname") {
      push({.kind = TokenKind::kText, .text = content});
    } else {
      scan(content, nesting + 1);
    }
    return end;
  }

  static size_t digits_end(std::string_view text, size_t at) {
    while (at < text.size() && is_digit(text[at])) ++at;
    return at;
  }

  // Length of a thousands separator at `at` that three digits and no fourth follow.
  size_t separator_length(std::string_view text, size_t at) const {
    for (const std::string_view separator : {",", "{,}", "{, }", " {, }", "\\,", ",\\! ", ",\\!", "{,}\\!", "\\!,\\!",
                                             " ", "\\ ", "\xE2\x80\xAF", "\xC2\xA0"}) {
      if (text.substr(at, separator.size()) != separator) continue;
      if (separator == "," && style_ == CommaStyle::kList) continue;
      const size_t digits = at + separator.size();
      if (digits_end(text, digits) == digits + 3) return separator.size();
    }
    return 0;
  }

  size_t scan_number(std::string_view text, size_t at) {
    size_t end = digits_end(text, at);
    std::string joined;
    const bool may_group = end > at && end - at <= 3 && text[at] != '0';
    for (size_t length = may_group ? separator_length(text, end) : 0; length > 0;
         length = separator_length(text, end)) {
      if (joined.empty()) joined = text.substr(at, end - at);
      if (text[end] == ',' && length == 1) tokens_.has_ambiguous_comma = true;
      joined += text.substr(end + length, 3);
      end += length + 3;
    }
    const bool has_digit_after = end + 1 < text.size() && is_digit(text[end + 1]);
    if (joined.empty() && end < text.size() && text[end] == ',' && has_digit_after) {
      tokens_.has_ambiguous_comma = true;
      if (style_ == CommaStyle::kDecimal && digits_end(text, end + 1) > end + 1) {
        const auto fraction_end = digits_end(text, end + 1);
        joined =
            std::string(text.substr(at, end - at)) + "." + std::string(text.substr(end + 1, fraction_end - end - 1));
        push({.kind = TokenKind::kNumber, .text = keep(joined)});
        return fraction_end;
      }
    }
    const bool has_point = end < text.size() && text[end] == '.' && text.substr(end, 2) != "..";
    if (has_point && (has_digit_after || end > at)) {
      const auto fraction_end = digits_end(text, end + 1);
      if (!joined.empty()) joined += text.substr(end, fraction_end - end);
      end = fraction_end;
    }
    push({.kind = TokenKind::kNumber, .text = joined.empty() ? text.substr(at, end - at) : keep(joined)});
    return end;
  }

  std::string_view text_;
  CommaStyle style_;
  Tokens tokens_;
  bool has_space_ = false;
  bool has_odd_dollars_ = false;  // one of them is a currency
  size_t full_width_end_ = 0;
};

}  // namespace

Tokens tokenize(std::string_view text, CommaStyle style) {
  if (text.size() > kMaxAnswerBytes) throw Overrun{"the text is too long for an answer"};
  return Lexer(text, style).run();
}

}  // namespace r1::rewards::math
