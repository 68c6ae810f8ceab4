// json.dumps for template values.

#include <fmt/format.h>

#include <algorithm>

#include "text/jinja_value.h"
#include "text/unicode.h"

namespace r1::text::jinja {
namespace {

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, Budget& budget) : style_(style), budget_(budget) {
    if (style_.item_separator.empty()) style_.item_separator = style_.indent < 0 ? ", " : ",";
    if (style_.key_separator.empty()) style_.key_separator = ": ";
  }

  void write(const Value& value) {
    budget_.spend(1);
    if (value.is_none()) {
      out_ += "null";
    } else if (const auto* v = value.if_bool()) {
      out_ += *v ? "true" : "false";
    } else if (const auto* text = value.if_string()) {
      string(*text);
    } else if (value.if_int() || value.if_double()) {
      out_ += to_repr(value, budget_);
    } else if (const auto* list = value.if_list()) {
      array(*list);
    } else if (const auto* dict = value.if_dict()) {
      object(*dict);
    } else {
      fail(fmt::format("'{}' is not JSON serializable", type_name(value)),
           "give tojson a string, number, list or dict");
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void array(const List& list) {
    if (list.items.empty()) {
      out_ += "[]";
      return;
    }
    open('[');
    for (size_t i = 0; i < list.items.size(); ++i) {
      next(i);
      write(list.items[i]);
    }
    close(']');
  }

  void object(const Dict& dict) {
    if (dict.items.empty()) {
      out_ += "{}";
      return;
    }
    std::vector<const std::pair<std::string, Value>*> items;
    for (const auto& item : dict.items) items.push_back(&item);
    if (style_.sorts_keys) {
      std::stable_sort(items.begin(), items.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    }
    open('{');
    for (size_t i = 0; i < items.size(); ++i) {
      next(i);
      string(items[i]->first);
      out_ += style_.key_separator;
      write(items[i]->second);
    }
    close('}');
  }

  void open(char bracket) {
    out_ += bracket;
    ++depth_;
  }
  void next(size_t index) {
    if (index > 0) out_ += style_.item_separator;
    new_line();
  }
  void close(char bracket) {
    --depth_;
    new_line();
    out_ += bracket;
  }
  void new_line() {
    if (style_.indent < 0) return;
    const size_t num_blanks = static_cast<size_t>(style_.indent) * depth_;
    budget_.spend_text(num_blanks);
    out_.append("\n").append(num_blanks, ' ');
  }

  void string(const std::string& text) {
    budget_.spend_text(text.size());
    out_ += '"';
    for (size_t pos = 0; pos < text.size();) {
      const size_t size = utf8_unit_at(text, pos).size;
      character(std::string_view(text).substr(pos, size));
      pos += size;
    }
    out_ += '"';
  }

  void character(std::string_view c) {
    switch (c[0]) {
      case '"':
        out_ += "\\\"";
        return;
      case '\\':
        out_ += "\\\\";
        return;
      case '\n':
        out_ += "\\n";
        return;
      case '\r':
        out_ += "\\r";
        return;
      case '\t':
        out_ += "\\t";
        return;
      case '\b':
        out_ += "\\b";
        return;
      case '\f':
        out_ += "\\f";
        return;
      default:
        break;
    }
    if (static_cast<uint8_t>(c[0]) < 0x20) {
      out_ += fmt::format("\\u{:04x}", static_cast<uint8_t>(c[0]));
    } else if (style_.is_ascii && static_cast<uint8_t>(c[0]) >= 0x80) {
      escape(code_point_at(c, 0).value);
    } else {
      out_ += c;
    }
  }

  // \uXXXX, as a surrogate pair beyond U+FFFF.
  void escape(char32_t c) {
    if (c < 0x10000) {
      out_ += fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
    } else {
      const auto offset = static_cast<uint32_t>(c - 0x10000);
      out_ += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (offset >> 10), 0xDC00 + (offset & 0x3FF));
    }
  }

  JsonStyle style_;
  Budget& budget_;
  std::string out_;
  size_t depth_ = 0;
};

}  // namespace

std::string to_json(const Value& value, const JsonStyle& style, Budget& budget) {
  JsonWriter writer(style, budget);
  writer.write(value);
  return writer.take();
}

}  // namespace r1::text::jinja
