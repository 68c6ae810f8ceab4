#pragma once
// Text of an answer, LaTeX or plain, to tokens. Understands UTF-8: signs, Greek letters, superscripts, fractions and
// full-width forms of mathematics become what they mean; other characters stay themselves, so a Cyrillic look-alike is
// not the Latin letter. Linear in the text.

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace r1::rewards::math {

// Thrown inside this folder only: the text is no mathematics.
struct ParseError {
  std::string why;
};

// How "1,234" is read where both ways are possible.
enum class CommaStyle {
  kThousands,  // commas before groups of three digits belong to the number
  kList,       // commas separate
  kDecimal,    // one comma between digits is a decimal point
};

enum class TokenKind : uint8_t {
  kEnd,
  kNumber,   // text: digits and at most one point, without separators
  kWord,     // a run of ASCII letters, or one other letter
  kCommand,  // text: the name of a LaTeX command, without backslash
  kText,     // words within \text{} and the like, currency signs, and words that cannot be symbols
  kPunct,    // punct: see below
};

// Punctuation beyond ASCII's own meaning.
namespace punct {
constexpr char kLessEqual = 'l', kGreaterEqual = 'g', kNotEqual = 'n', kApproximately = '~', kPlusMinus = 'm',
               kMinusPlus = 'w', kUnion = 'U', kIntersection = 'I', kSetMinus = 'S', kElement = 'E', kNotElement = 'X',
               kSetOpen = 'L', kSetClose = 'R', kAngleOpen = 'A', kAngleClose = 'B', kDegree = 'd', kNewline = 'N',
               kEllipsis = 'e', kArrow = 'T';
}

struct Token {
  TokenKind kind = TokenKind::kEnd;
  char punct = 0;
  bool has_space_before = false;
  std::string_view text;

  bool is(char c) const { return kind == TokenKind::kPunct && punct == c; }
};

// Tokens, the last of them kEnd, and the strings that they view (besides the source, which must outlive them).
struct Tokens {
  std::vector<Token> list;
  std::deque<std::string> strings;
  bool has_ambiguous_comma = false;  // a comma whose reading depends on CommaStyle
};

Tokens tokenize(std::string_view text, CommaStyle style);

}  // namespace r1::rewards::math
