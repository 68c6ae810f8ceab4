#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/config_tree.h"

namespace r1::config {
namespace {

bool is_bare(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// A basic string (TOML 1.0, "String").
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          out += fmt::format("\\u{:04X}", c);
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string double_text(double d) {
  std::string text = fmt::format("{}", d);  // the shortest digits that read back the same; inf and nan are TOML's too
  if (text.find_first_of(".einf") == text.npos) text += ".0";
  return text;
}

const TablePointer* as_table(const Value& value) { return std::get_if<TablePointer>(&value.data); }

// As TOML has it: an array that is not empty, of tables only.
const Array* as_array_of_tables(const Value& value) {
  const auto* array = std::get_if<Array>(&value.data);
  if (array == nullptr || array->empty()) return nullptr;
  return std::all_of(array->begin(), array->end(), as_table) ? array : nullptr;
}

std::string inline_table(const Table& table) {
  std::vector<std::string> parts;
  for (const Entry& e : table.entries) {
    if (e.origin != Origin::kKnown) parts.push_back(fmt::format("{} = {}", key_text(e.key), value_text(e.value)));
  }
  return fmt::format("{{ {} }}", fmt::join(parts, ", "));
}

struct Text {
  std::string operator()(bool b) const { return b ? "true" : "false"; }
  std::string operator()(int64_t i) const { return fmt::format("{}", i); }
  std::string operator()(double d) const { return double_text(d); }
  std::string operator()(const std::string& s) const { return quoted(s); }
  std::string operator()(const Date& d) const { return d.text; }
  std::string operator()(const TablePointer& t) const { return inline_table(*t); }
  std::string operator()(const Array& a) const {
    std::vector<std::string> parts;
    for (const Value& v : a) parts.push_back(value_text(v));
    return fmt::format("[{}]", fmt::join(parts, ", "));
  }
};

void print_table(const Table& table, const std::string& header, std::string& out);

// Under its header; tables that only defaults made and that hold none are left out.
void print_sub_table(const Entry& entry, const std::string& header, std::string& out) {
  std::string body;
  print_table(**as_table(entry.value), header, body);
  if (body.empty() && entry.origin == Origin::kDefault) return;
  out += fmt::format("\n[{}]\n{}", header, body);
}

// Plain values first: after a header, they would belong to the table that it opens.
void print_table(const Table& table, const std::string& header, std::string& out) {
  for (const Entry& e : table.entries) {
    if (e.origin == Origin::kKnown || as_table(e.value) || as_array_of_tables(e.value)) continue;
    out += fmt::format("{} = {}\n", key_text(e.key), value_text(e.value));
  }
  for (const Entry& e : table.entries) {
    if (e.origin == Origin::kKnown) continue;
    const std::string inner = header.empty() ? key_text(e.key) : header + "." + key_text(e.key);
    if (as_table(e.value)) print_sub_table(e, inner, out);
    const Array* tables = as_array_of_tables(e.value);
    for (size_t i = 0; tables != nullptr && i < tables->size(); ++i) {
      out += fmt::format("\n[[{}]]\n", inner);
      print_table(**as_table((*tables)[i]), inner, out);
    }
  }
}

}  // namespace

std::string key_text(std::string_view key) { return is_bare(key) ? std::string(key) : quoted(key); }

std::string value_text(const Value& value) { return std::visit(Text{}, value.data); }

std::string toml_text(const Table& root) {
  std::string out;
  print_table(root, "", out);
  return out.starts_with('\n') ? out.substr(1) : out;
}

}  // namespace r1::config
