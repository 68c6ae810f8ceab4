#include "text/jinja_list_filters.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/jinja_strings.h"

namespace r1::text::jinja {
namespace {

// What `attribute="a.b.0"` names in an item.
Value dotted(const Value& item, std::string_view path) {
  Value value = item;
  for (const auto& part : split(path, ".", -1)) {
    const bool is_index =
        !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
    value = item_of(value, is_index ? Value(int64_t{std::stol(part)}) : Value(part));
  }
  return value;
}

// The key that sort, unique, min and max go by: the item or its attribute, without regard to case unless asked.
Value key_of(const Value& item, const std::optional<std::string>& attribute, bool minds_case) {
  const Value key = attribute ? dotted(item, *attribute) : item;
  const auto* text = key.if_string();
  return text && !minds_case ? Value(to_lower(*text)) : key;
}

std::vector<Value> sorted(std::vector<Value> items, const auto& key, bool is_reversed, Budget& budget) {
  std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) {
    return is_reversed ? less(key(b), key(a), budget) : less(key(a), key(b), budget);
  });
  return items;
}

Value extreme(const Value& input, const Arguments& arguments, Budget& budget, std::string_view name) {
  const Bound bound(name, arguments, {"case_sensitive", "attribute"});
  const auto items = items_of(input, budget);
  if (items.empty()) return Undefined{"No aggregated item, sequence was empty."};
  const auto key = [&](const Value& v) { return key_of(v, bound.text(1), bound.truth(0, false)); };
  const auto* best = &items[0];
  for (const auto& item : items) {
    const bool is_better = name == "min" ? less(key(item), key(*best), budget) : less(key(*best), key(item), budget);
    if (is_better) best = &item;
  }
  return *best;
}

// select, reject and their kin: positional arguments are [attribute,] test, the test's own arguments.
Value filter_items(const Value& input, const Arguments& arguments, Budget& budget, bool by_attribute, bool keeps) {
  auto rest = arguments.positional;
  const auto take_text = [&](const char* what) {
    const auto* text = rest.empty() ? nullptr : rest.front().if_string();
    if (!text) fail(fmt::format("a select or reject filter lacks its {}", what), "give it as a string");
    const std::string taken = *text;
    rest.erase(rest.begin());
    return taken;
  };
  if (!arguments.named.empty()) fail("select and reject take no named arguments", "remove them");
  const auto attribute = by_attribute ? std::optional(take_text("attribute")) : std::nullopt;
  const auto test = rest.empty() ? std::nullopt : std::optional(take_text("test"));
  std::vector<Value> kept;
  for (auto& item : items_of(input, budget)) {
    const Value value = attribute ? dotted(item, *attribute) : item;
    const bool holds = test ? apply_test(*test, value, {rest, {}}, budget) : truthy(value);
    if (holds == keeps) kept.push_back(std::move(item));
  }
  return Value::list(std::move(kept));
}

std::vector<std::pair<std::string, Value>> pairs_of(const Value& input, std::string_view filter) {
  if (input.is_undefined()) return {};
  if (const auto* dict = input.if_dict()) return dict->items;
  fail(fmt::format("filter '{}' got {}", filter, type_name(input)), "give it a dict");
}

}  // namespace

Value first_item(const Value& input, const Arguments& arguments, Budget& budget) {
  Bound("first", arguments, {});
  const auto items = items_of(input, budget);
  return items.empty() ? Undefined{"No first item, sequence was empty."} : items.front();
}

Value last_item(const Value& input, const Arguments& arguments, Budget& budget) {
  Bound("last", arguments, {});
  const auto items = items_of(input, budget);
  return items.empty() ? Undefined{"No last item, sequence was empty."} : items.back();
}

Value to_list(const Value& input, const Arguments& arguments, Budget& budget) {
  Bound("list", arguments, {});
  return Value::list(items_of(input, budget));
}

Value dict_items(const Value& input, const Arguments& arguments, Budget& budget) {
  Bound("items", arguments, {});
  std::vector<Value> items;
  for (const auto& [key, value] : pairs_of(input, "items")) items.push_back(Value::tuple({key, value}));
  budget.spend(static_cast<int64_t>(items.size()));
  return Value::list(std::move(items));
}

Value dictsort(const Value& input, const Arguments& arguments, Budget& budget) {
  const Bound bound("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  const auto by = bound.text(1).value_or("key");
  if (by != "key" && by != "value") fail(fmt::format("dictsort by '{}'", by), "sort by 'key' or 'value'");
  std::vector<Value> items;
  for (const auto& [key, value] : pairs_of(input, "dictsort")) items.push_back(Value::tuple({key, value}));
  const auto key = [&](const Value& pair) {
    return key_of(pair.if_list()->items[by == "key" ? 0 : 1], std::nullopt, bound.truth(0, false));
  };
  return Value::list(sorted(std::move(items), key, bound.truth(2, false), budget));
}

Value join(const Value& input, const Arguments& arguments, Budget& budget) {
  const Bound bound("join", arguments, {"d", "attribute"});
  const auto separator = bound.find(0) ? to_text(*bound.find(0), budget) : std::string();
  const auto attribute = bound.text(1);
  std::string out;
  const auto items = items_of(input, budget);
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += separator;
    out += to_text(attribute ? dotted(items[i], *attribute) : items[i], budget);
    budget.spend_text(separator.size());
  }
  return out;
}

Value reverse(const Value& input, const Arguments& arguments, Budget& budget) {
  Bound("reverse", arguments, {});
  auto items = items_of(input, budget);
  std::reverse(items.begin(), items.end());
  if (!input.if_string()) return Value::list(std::move(items));
  std::string out;
  for (const auto& c : items) out += *c.if_string();
  return out;
}

Value sort(const Value& input, const Arguments& arguments, Budget& budget) {
  const Bound bound("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  const auto key = [&](const Value& v) { return key_of(v, bound.text(2), bound.truth(1, false)); };
  return Value::list(sorted(items_of(input, budget), key, bound.truth(0, false), budget));
}

Value unique(const Value& input, const Arguments& arguments, Budget& budget) {
  const Bound bound("unique", arguments, {"case_sensitive", "attribute"});
  std::vector<Value> kept, keys;
  for (auto& item : items_of(input, budget)) {
    const Value key = key_of(item, bound.text(1), bound.truth(0, false));
    if (std::any_of(keys.begin(), keys.end(), [&](const Value& k) { return equal(k, key, budget); })) continue;
    keys.push_back(key);
    kept.push_back(std::move(item));
  }
  return Value::list(std::move(kept));
}

Value min_item(const Value& input, const Arguments& arguments, Budget& budget) {
  return extreme(input, arguments, budget, "min");
}
Value max_item(const Value& input, const Arguments& arguments, Budget& budget) {
  return extreme(input, arguments, budget, "max");
}

Value sum(const Value& input, const Arguments& arguments, Budget& budget) {
  const Bound bound("sum", arguments, {"attribute", "start"});
  const auto attribute = bound.text(0);
  Value total = bound.find(1) ? *bound.find(1) : Value(int64_t{0});
  for (const auto& item : items_of(input, budget)) {
    total = binary_operation("+", total, attribute ? dotted(item, *attribute) : item, budget);
  }
  return total;
}

Value map_items(const Value& input, const Arguments& arguments, Budget& budget) {
  std::vector<Value> out;
  const bool by_attribute = arguments.positional.empty();
  const Arguments none;
  const Bound bound("map", by_attribute ? arguments : none, {"attribute", "default"});
  const auto attribute = by_attribute ? bound.text(0) : std::nullopt;
  const auto* filter = by_attribute ? nullptr : arguments.positional[0].if_string();
  if (!attribute && !filter) fail("map() lacks a filter or attribute", "give map('FILTER') or map(attribute='NAME')");
  Arguments rest;
  if (filter) rest = {{arguments.positional.begin() + 1, arguments.positional.end()}, arguments.named};
  for (const auto& item : items_of(input, budget)) {
    if (filter) {
      out.push_back(apply_filter(*filter, item, rest, budget));
      continue;
    }
    const Value value = dotted(item, *attribute);
    out.push_back(value.is_undefined() && bound.find(1) ? *bound.find(1) : value);
  }
  return Value::list(std::move(out));
}

Value select(const Value& input, const Arguments& arguments, Budget& budget) {
  return filter_items(input, arguments, budget, /*by_attribute=*/false, /*keeps=*/true);
}
Value reject(const Value& input, const Arguments& arguments, Budget& budget) {
  return filter_items(input, arguments, budget, /*by_attribute=*/false, /*keeps=*/false);
}
Value select_attribute(const Value& input, const Arguments& arguments, Budget& budget) {
  return filter_items(input, arguments, budget, /*by_attribute=*/true, /*keeps=*/true);
}
Value reject_attribute(const Value& input, const Arguments& arguments, Budget& budget) {
  return filter_items(input, arguments, budget, /*by_attribute=*/true, /*keeps=*/false);
}

}  // namespace r1::text::jinja
