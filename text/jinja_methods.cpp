// Methods: {{ value.name(arguments) }}.

#include <fmt/format.h>

#include <algorithm>

#include "text/jinja_functions.h"
#include "text/jinja_list_filters.h"
#include "text/jinja_strings.h"
#include "text/unicode.h"

namespace r1::text::jinja {
namespace {

using Method = Value (*)(const std::string& text, const Arguments& arguments, Budget& budget);

Value list_of(std::vector<std::string> parts) {
  std::vector<Value> items;
  for (auto& part : parts) items.emplace_back(std::move(part));
  return Value::list(std::move(items));
}

Value split_method(const std::string& text, const Arguments& arguments, Budget& budget) {
  const Bound bound("split", arguments, {"sep", "maxsplit"});
  const auto separator = bound.text(0);
  budget.spend(static_cast<int64_t>(text.size() / 8) + 1);  // each part is a value
  if (!separator) return list_of(split_blanks(text, bound.integer(1, -1)));
  if (separator->empty()) fail("split() at an empty separator", "give one character or more");
  return list_of(split(text, *separator, bound.integer(1, -1)));
}

Value rsplit_method(const std::string& text, const Arguments& arguments, Budget& budget) {
  const Bound bound("rsplit", arguments, {"sep", "maxsplit"});
  const auto separator = bound.text(0).value_or("");
  budget.spend(static_cast<int64_t>(text.size() / 8) + 1);
  if (separator.empty()) fail("rsplit() without a separator is not supported", "give one character or more");
  return list_of(split_from_right(text, separator, bound.integer(1, -1)));
}

template <std::string_view (*function)(std::string_view, std::optional<std::string_view>)>
Value strip_method(const std::string& text, const Arguments& arguments, Budget& budget) {
  const auto set = Bound("strip", arguments, {"chars"}).text(0);
  budget.spend_text(text.size());
  return set ? function(text, *set) : function(text, std::nullopt);
}

// The argument of startswith and endswith: a string, or a tuple of which one will do.
bool any_affix(const Arguments& arguments, Budget& budget, const auto& holds) {
  const Bound bound("startswith or endswith", arguments, {"affix"});
  const auto& affix = bound.require(0);
  const auto affixes = affix.if_list() ? items_of(affix, budget) : std::vector<Value>{affix};
  return std::any_of(affixes.begin(), affixes.end(), [&](const Value& a) {
    if (!a.if_string()) fail(fmt::format("startswith or endswith got {}", type_name(a)), "give a string");
    return holds(*a.if_string());
  });
}

Value starts_with(const std::string& text, const Arguments& arguments, Budget& budget) {
  return any_affix(arguments, budget, [&](const std::string& affix) { return text.starts_with(affix); });
}
Value ends_with(const std::string& text, const Arguments& arguments, Budget& budget) {
  return any_affix(arguments, budget, [&](const std::string& affix) { return text.ends_with(affix); });
}

template <std::string (*function)(std::string_view)>
Value case_method(const std::string& text, const Arguments& arguments, Budget& budget) {
  Bound("a method on case", arguments, {});
  budget.spend_text(text.size());
  return function(text);
}

Value replace_method(const std::string& text, const Arguments& arguments, Budget& budget) {
  const Bound bound("replace", arguments, {"old", "new", "count"});
  bound.require(0);
  bound.require(1);
  return checked_replace(text, bound.text(0).value_or(""), bound.text(1).value_or(""), bound.integer(2, -1), budget);
}

// Position in characters; -1 if absent.
template <bool from_right>
Value find_method(const std::string& text, const Arguments& arguments, Budget& budget) {
  const Bound bound("find", arguments, {"sub"});
  bound.require(0);
  budget.spend_text(text.size());
  const auto wanted = bound.text(0).value_or("");
  const size_t at = from_right ? text.rfind(wanted) : text.find(wanted);
  return at == std::string::npos ? int64_t{-1} : count_chars(std::string_view(text).substr(0, at));
}

Value count_method(const std::string& text, const Arguments& arguments, Budget& budget) {
  const Bound bound("count", arguments, {"sub"});
  bound.require(0);
  budget.spend_text(text.size());
  const auto wanted = bound.text(0).value_or("");
  if (wanted.empty()) return count_chars(text) + 1;
  int64_t count = 0;
  for (size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + wanted.size())) ++count;
  return count;
}

Value join_method(const std::string& text, const Arguments& arguments, Budget& budget) {
  const Bound bound("join", arguments, {"iterable"});
  std::string out;
  const auto items = items_of(bound.require(0), budget);
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].if_string()) fail(fmt::format("join() got an item of type {}", type_name(items[i])), "join strings");
    if (i > 0) out += text;
    out += *items[i].if_string();
    budget.spend_text(text.size() + items[i].if_string()->size());
  }
  return out;
}

Value lines_method(const std::string& text, const Arguments& arguments, Budget& budget) {
  Bound("splitlines", arguments, {});
  budget.spend(static_cast<int64_t>(text.size() / 8) + 1);
  return list_of(split_lines(text));
}

template <bool is_prefix>
Value remove_affix(const std::string& text, const Arguments& arguments, Budget& budget) {
  const Bound bound("removeprefix or removesuffix", arguments, {"affix"});
  bound.require(0);
  budget.spend_text(text.size());
  const auto affix = bound.text(0).value_or("");
  if (is_prefix) return text.starts_with(affix) ? text.substr(affix.size()) : text;
  return text.ends_with(affix) ? text.substr(0, text.size() - affix.size()) : text;
}

// isdigit, isalpha, isspace: some characters, all of them of the kind.
template <uint8_t classes>
Value all_chars(const std::string& text, const Arguments& arguments, Budget& budget) {
  Bound("a test on characters", arguments, {});
  const Value characters(text);
  const auto chars = items_of(characters, budget);
  return !chars.empty() && std::all_of(chars.begin(), chars.end(), [](const Value& c) {
    return (char_class(code_point_at(*c.if_string(), 0).value) & classes) != 0;
  });
}

struct MethodEntry {
  std::string_view name;
  Method apply;
};
constexpr MethodEntry kTextMethods[] = {
    {"capitalize", case_method<capitalize>},
    {"count", count_method},
    {"endswith", ends_with},
    {"find", find_method<false>},
    {"isalpha", all_chars<kLetter>},
    {"isdigit", all_chars<kNumber>},
    {"isspace", all_chars<kSpace>},
    {"join", join_method},
    {"lower", case_method<to_lower>},
    {"lstrip", strip_method<strip_left>},
    {"removeprefix", remove_affix<true>},
    {"removesuffix", remove_affix<false>},
    {"replace", replace_method},
    {"rfind", find_method<true>},
    {"rsplit", rsplit_method},
    {"rstrip", strip_method<strip_right>},
    {"split", split_method},
    {"splitlines", lines_method},
    {"startswith", starts_with},
    {"strip", strip_method<strip>},
    {"title", case_method<title>},
    {"upper", case_method<to_upper>},
};

Value dict_method(const Value& value, std::string_view name, const Arguments& arguments, Budget& budget) {
  if (name == "items") return dict_items(value, arguments, budget);
  if (name == "get") {
    const Bound bound("get", arguments, {"key", "default"});
    const auto* key = bound.require(0).if_string();
    const auto* found = key ? value.if_dict()->find(*key) : nullptr;
    return found ? *found : bound.find(1) ? *bound.find(1) : Value();
  }
  Bound(name, arguments, {});
  std::vector<Value> items;
  for (const auto& [key, item] : value.if_dict()->items) items.push_back(name == "keys" ? Value(key) : item);
  budget.spend(static_cast<int64_t>(items.size()));
  return Value::list(std::move(items));
}

Value list_method(const Value& value, std::string_view name, const Arguments& arguments, Budget& budget) {
  const Bound bound(name, arguments, {"value"});
  const auto& items = value.if_list()->items;
  int64_t count = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!equal(items[i], bound.require(0), budget)) continue;
    if (name == "index") return static_cast<int64_t>(i);
    ++count;
  }
  if (name == "index") fail("index() of a value that is not in the list", "test with 'in' first");
  return count;
}

}  // namespace

bool is_dict_method(std::string_view name) {
  return name == "items" || name == "keys" || name == "values" || name == "get";
}

Value call_method(const Value& value, std::string_view name, const Arguments& arguments, Budget& budget) {
  budget.spend(1);
  if (const auto* text = value.if_string()) {
    for (const auto& method : kTextMethods) {
      if (method.name == name) return method.apply(*text, arguments, budget);
    }
  }
  if (value.if_dict() && is_dict_method(name)) return dict_method(value, name, arguments, budget);
  if (value.if_list() && (name == "index" || name == "count")) return list_method(value, name, arguments, budget);
  if (const auto* loop = std::get_if<Loop>(&value.data); loop && name == "cycle") {
    const auto& items = arguments.positional;
    if (items.empty()) fail("loop.cycle() without values", "give it some");
    return items[static_cast<size_t>(loop->index0) % items.size()];
  }
  if (value.is_undefined()) return attribute_of(value, name);  // fails with the name that is undefined
  std::string known;
  for (const auto& method : kTextMethods) known += fmt::format(" {}", method.name);
  fail(fmt::format("'{}' object has no method '{}' here", type_name(value), name),
       fmt::format("supported: of strings{}; of dicts get items keys values; of lists count index; loop.cycle", known));
}

}  // namespace r1::text::jinja
