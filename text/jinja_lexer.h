#pragma once
// Template source to tokens. Line ends, trim_blocks, lstrip_blocks and the "-" and "+" marks are dealt with here, so
// that a text token is what the rendering prints.

#include <string>
#include <string_view>
#include <vector>

namespace r1::text::jinja {

enum class TokenKind {
  kText,
  kOutputBegin,
  kOutputEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kInt,
  kFloat,
  kString,
  kOperator,
  kEnd
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // text, name, operator, digits, or a string's value
  int line = 1;
};

// Throws Error "NAME:LINE: ..." for what is not a token and for tags that do not end.
std::vector<Token> tokenize(std::string_view source, const std::string& name);

}  // namespace r1::text::jinja
