#include "core/json_raw.h"

#include <algorithm>

#include "core/json.h"

namespace r1::json {
namespace {

// Steps over valid JSON without building it.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<std::string_view> find(std::string_view key) {
    std::optional<std::string_view> found;
    skip_blanks();
    if (!take('{')) return found;
    skip_blanks();
    while (at_ < text_.size() && text_[at_] == '"') {
      const auto name = take_value();
      skip_blanks();
      take(':');
      skip_blanks();
      const auto value = take_value();
      if (bj::parse(bj::string_view(name.data(), name.size())).get_string() == bj::string_view(key.data(), key.size()))
        found = value;
      skip_blanks();
      if (!take(',')) break;
      skip_blanks();
    }
    return found;
  }

 private:
  void skip_blanks() {
    const auto next = text_.find_first_not_of(" \t\r\n", at_);
    at_ = next == text_.npos ? text_.size() : next;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }
  std::string_view take_value() {
    const auto begin = at_;
    int depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        skip_string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (depth == 0) {  // a number or a word
        at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
        break;
      }
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0 && at_ < text_.size());
    at_ = std::min(at_, text_.size());
    return text_.substr(begin, at_ - begin);
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::optional<std::string_view> raw_member(std::string_view object, std::string_view key) {
  return Scanner(object).find(key);
}

}  // namespace r1::json
