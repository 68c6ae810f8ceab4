#include <fmt/format.h>

#include <cmath>

#include "core/json.h"

namespace r1::json {
namespace {

enum class Style { kOneLine, kPretty };

// JSON has no infinities and no NaN: they become null, as in JavaScript.
std::string number_text(double d) {
  if (!std::isfinite(d)) return "null";
  std::string text = fmt::format("{}", d);                  // the shortest digits that read back the same
  if (text.find_first_of(".e") == text.npos) text += ".0";  // stays a double when read back
  return text;
}

class Writer {
 public:
  explicit Writer(Style style) : style_(style) {}

  void write(const bj::value& v) {
    switch (v.kind()) {
      case bj::kind::array:
        return write_array(v.get_array());
      case bj::kind::object:
        return write_object(v.get_object());
      case bj::kind::double_:
        out_ += number_text(v.get_double());
        return;
      default:
        out_ += bj::serialize(v);
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void new_line() {
    if (style_ == Style::kPretty) out_.append("\n").append(2 * depth_, ' ');
  }

  void write_array(const bj::array& a) {
    open('[');
    for (size_t i = 0; i < a.size(); ++i) {
      separate(i);
      write(a[i]);
    }
    close(']', a.empty());
  }

  void write_object(const bj::object& o) {
    open('{');
    size_t i = 0;
    for (const auto& [key, value] : o) {
      separate(i++);
      out_ += bj::serialize(key);
      out_ += style_ == Style::kPretty ? ": " : ":";
      write(value);
    }
    close('}', o.empty());
  }

  void open(char bracket) {
    out_ += bracket;
    ++depth_;
  }

  void separate(size_t index) {
    if (index > 0) out_ += ',';
    new_line();
  }

  void close(char bracket, bool is_empty) {
    --depth_;
    if (!is_empty) new_line();
    out_ += bracket;
  }

  Style style_;
  size_t depth_ = 0;
  std::string out_;
};

}  // namespace

std::string dump(const bj::value& v) {
  Writer writer(Style::kOneLine);
  writer.write(v);
  return writer.take();
}

std::string dump_pretty(const bj::value& v) {
  Writer writer(Style::kPretty);
  writer.write(v);
  return writer.take() + "\n";
}

}  // namespace r1::json
