#include "text/jinja_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "text/unicode.h"

namespace r1::text::jinja {
namespace {

int deepest(const auto& items, auto depth_of_item) {
  int depth = 0;
  for (const auto& item : items) depth = std::max(depth, depth_of_item(item));
  if (depth >= kMaxDepth) {
    fail(fmt::format("makes values nested {} deep", depth + 1),
         fmt::format("nest lists and dicts at most {} deep", kMaxDepth));
  }
  return depth + 1;
}

[[noreturn]] void cannot_order(const Value& a, const Value& b) {
  fail(fmt::format("'<' between '{}' and '{}'", type_name(a), type_name(b)), "compare values of one type");
}

// bool, int and float are one number line.
std::optional<double> as_number(const Value& value) {
  if (const auto* v = value.if_bool()) return *v ? 1 : 0;
  if (const auto* v = value.if_int()) return static_cast<double>(*v);
  if (const auto* v = value.if_double()) return *v;
  return std::nullopt;
}

std::optional<int64_t> as_integer(const Value& value) {
  if (const auto* v = value.if_bool()) return *v ? 1 : 0;
  if (const auto* v = value.if_int()) return *v;
  return std::nullopt;
}

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  auto text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// Python's repr of a string: single quotes unless only those occur within.
std::string quoted(const std::string& text) {
  const bool has_single = text.find('\'') != std::string::npos;
  const char quote = has_single && text.find('"') == std::string::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + quote;
}

std::string list_repr(const List& list, Budget& budget) {
  std::string out(1, list.is_tuple ? '(' : '[');
  for (size_t i = 0; i < list.items.size(); ++i) {
    if (i > 0) out += ", ";
    out += to_repr(list.items[i], budget);
  }
  if (list.is_tuple && list.items.size() == 1) out += ',';
  return out + (list.is_tuple ? ')' : ']');
}

std::string dict_repr(const Dict& dict, Budget& budget) {
  std::string out = "{";
  for (const auto& [key, value] : dict.items) {
    if (out.size() > 1) out += ", ";
    out += quoted(key) + ": " + to_repr(value, budget);
  }
  return out + "}";
}

}  // namespace

void fail(const std::string& what, const std::string& mend) { throw Error(kSomewhere, what, mend); }

const Value* Dict::find(std::string_view key) const {
  for (const auto& [name, value] : items) {
    if (name == key) return &value;
  }
  return nullptr;
}

Value Value::list(std::vector<Value> items) {
  const int depth = deepest(items, depth_of);
  Value value;
  value.data = std::make_shared<const List>(List{std::move(items), depth, false});
  return value;
}

Value Value::tuple(std::vector<Value> items) {
  const int depth = deepest(items, depth_of);
  Value value;
  value.data = std::make_shared<const List>(List{std::move(items), depth, true});
  return value;
}

Value Value::dict(std::vector<std::pair<std::string, Value>> items) {
  const int depth = deepest(items, [](const auto& item) { return depth_of(item.second); });
  Value value;
  value.data = std::make_shared<const Dict>(Dict{std::move(items), depth});
  return value;
}

const std::string* Value::if_string() const {
  const auto* v = std::get_if<Text>(&data);
  return v ? v->get() : nullptr;
}
const List* Value::if_list() const {
  const auto* v = std::get_if<std::shared_ptr<const List>>(&data);
  return v ? v->get() : nullptr;
}
const Dict* Value::if_dict() const {
  const auto* v = std::get_if<std::shared_ptr<const Dict>>(&data);
  return v ? v->get() : nullptr;
}

int depth_of(const Value& value) {
  if (const auto* list = value.if_list()) return list->depth;
  if (const auto* dict = value.if_dict()) return dict->depth;
  return std::holds_alternative<std::shared_ptr<Namespace>>(value.data) ? kNamespaceDepth : 0;
}

void Budget::spend(int64_t work) {
  left_ -= work;
  if (left_ >= 0) return;
  fail("takes more steps than a chat template may",
       "shorten the conversation, or use another template: this one loops or copies without bound");
}

std::string_view type_name(const Value& value) {
  static constexpr std::string_view kNames[] = {"Undefined", "NoneType", "bool",      "int",         "float",   "str",
                                                "list",      "dict",     "Namespace", "LoopContext", "function"};
  const auto* list = value.if_list();
  return list && list->is_tuple ? "tuple" : kNames[value.data.index()];
}

bool truthy(const Value& value) {
  if (value.is_undefined() || value.is_none()) return false;
  if (const auto number = as_number(value)) return *number != 0;
  if (const auto* text = value.if_string()) return !text->empty();
  if (const auto* list = value.if_list()) return !list->items.empty();
  if (const auto* dict = value.if_dict()) return !dict->items.empty();
  return true;
}

std::string to_text(const Value& value, Budget& budget) {
  if (const auto* text = value.if_string()) {
    budget.spend_text(text->size());
    return *text;
  }
  return value.is_undefined() ? std::string() : to_repr(value, budget);
}

std::string to_repr(const Value& value, Budget& budget) {
  budget.spend(1);
  if (value.is_undefined()) return "Undefined";
  if (value.is_none()) return "None";
  if (const auto* v = value.if_bool()) return *v ? "True" : "False";
  if (const auto* v = value.if_int()) return fmt::format("{}", *v);
  if (const auto* v = value.if_double()) return float_text(*v);
  if (const auto* v = value.if_string()) {
    budget.spend_text(v->size());
    return quoted(*v);
  }
  if (const auto* v = value.if_list()) return list_repr(*v, budget);
  if (const auto* v = value.if_dict()) return dict_repr(*v, budget);
  fail(fmt::format("prints a {}", type_name(value)), "print its attributes");
}

bool equal(const Value& a, const Value& b, Budget& budget) {
  budget.spend(1);
  const auto x_int = as_integer(a), y_int = as_integer(b);
  if (x_int && y_int) return *x_int == *y_int;
  const auto x = as_number(a), y = as_number(b);
  if (x && y) return *x == *y;
  if (a.data.index() != b.data.index()) return false;
  if (a.is_undefined() || a.is_none()) return true;
  if (const auto* text = a.if_string()) {
    budget.spend_text(text->size());
    return *text == *b.if_string();
  }
  const auto same = [&](const Value& p, const Value& q) { return equal(p, q, budget); };
  if (const auto* list = a.if_list()) {
    const auto& other = *b.if_list();
    return list->is_tuple == other.is_tuple &&
           std::equal(list->items.begin(), list->items.end(), other.items.begin(), other.items.end(), same);
  }
  if (const auto* dict = a.if_dict()) {
    if (dict->items.size() != b.if_dict()->items.size()) return false;
    return std::all_of(dict->items.begin(), dict->items.end(), [&](const auto& item) {
      const auto* found = b.if_dict()->find(item.first);
      return found && same(item.second, *found);
    });
  }
  return false;
}

bool less(const Value& a, const Value& b, Budget& budget) {
  budget.spend(1);
  const auto x_int = as_integer(a), y_int = as_integer(b);
  if (x_int && y_int) return *x_int < *y_int;
  const auto x = as_number(a), y = as_number(b);
  if (x && y) return *x < *y;
  if (a.if_string() && b.if_string()) return *a.if_string() < *b.if_string();  // UTF-8 sorts as code points do
  if (!a.if_list() || !b.if_list()) cannot_order(a, b);
  const auto &p = a.if_list()->items, &q = b.if_list()->items;
  for (size_t i = 0; i < std::min(p.size(), q.size()); ++i) {
    if (!equal(p[i], q[i], budget)) return less(p[i], q[i], budget);
  }
  return p.size() < q.size();
}

std::vector<Value> items_of(const Value& value, Budget& budget) {
  std::vector<Value> items;
  if (value.is_undefined()) return items;
  if (const auto* list = value.if_list()) {
    items = list->items;
  } else if (const auto* dict = value.if_dict()) {
    for (const auto& item : dict->items) items.emplace_back(item.first);
  } else if (const auto* text = value.if_string()) {
    budget.spend(static_cast<int64_t>(text->size()));
    for (size_t pos = 0; pos < text->size();) {
      const size_t size = utf8_unit_at(*text, pos).size;
      items.emplace_back(text->substr(pos, size));
      pos += size;
    }
  } else {
    fail(fmt::format("'{}' object is not iterable", type_name(value)), "loop over a list, a dict or a string");
  }
  budget.spend(static_cast<int64_t>(items.size()));
  return items;
}

}  // namespace r1::text::jinja
