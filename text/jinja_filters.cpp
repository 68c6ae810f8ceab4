// Filters on single values: {{ value | name(arguments) }}.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "text/jinja_functions.h"
#include "text/jinja_list_filters.h"
#include "text/jinja_strings.h"

namespace r1::text::jinja {
namespace {

constexpr int64_t kMaxIndent = 64;

const std::string& text_of(const Value& input, std::string_view filter) {
  if (const auto* text = input.if_string()) return *text;
  fail(fmt::format("filter '{}' got {}", filter, type_name(input)), "give it a string");
}

Value trim(const Value& input, const Arguments& arguments, Budget& budget) {
  const auto text = to_text(input, budget);
  const auto set = Bound("trim", arguments, {"chars"}).text(0);
  return set ? strip(text, *set) : strip(text);
}

Value length(const Value& input, const Arguments& arguments, Budget& budget) {
  Bound("length", arguments, {});
  if (const auto* text = input.if_string()) return count_chars(*text);
  if (const auto* list = input.if_list()) return static_cast<int64_t>(list->items.size());
  return static_cast<int64_t>(items_of(input, budget).size());
}

Value tojson(const Value& input, const Arguments& arguments, Budget& budget) {
  const Bound bound("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style{.is_ascii = bound.truth(0, false), .sorts_keys = bound.truth(3, false)};
  if (bound.find(1) && !bound.find(1)->is_none()) {
    style.indent = static_cast<int>(std::clamp<int64_t>(bound.integer(1, 0), 0, kMaxIndent));
  }
  if (const auto* pair = bound.find(2); pair && !pair->is_none()) {
    const auto items = items_of(*pair, budget);
    if (items.size() != 2) fail("tojson separators are not a pair", "give (item_separator, key_separator)");
    style.item_separator = text_of(items[0], "tojson");
    style.key_separator = text_of(items[1], "tojson");
  }
  return to_json(input, style, budget);
}

Value default_value(const Value& input, const Arguments& arguments, Budget&) {
  const Bound bound("default", arguments, {"default_value", "boolean"});
  const bool is_missing = input.is_undefined() || (bound.truth(1, false) && !truthy(input));
  if (!is_missing) return input;
  return bound.find(0) ? *bound.find(0) : Value("");
}

template <std::string (*function)(std::string_view)>
Value change_case(const Value& input, const Arguments& arguments, Budget& budget) {
  Bound("a filter on case", arguments, {});
  return function(to_text(input, budget));
}

Value replace_filter(const Value& input, const Arguments& arguments, Budget& budget) {
  const Bound bound("replace", arguments, {"old", "new", "count"});
  const auto from = to_text(bound.require(0), budget), to = to_text(bound.require(1), budget);
  const auto text = to_text(input, budget);
  const int64_t limit = bound.find(2) && !bound.find(2)->is_none() ? bound.integer(2, -1) : -1;
  return checked_replace(text, from, to, limit, budget);
}

Value string(const Value& input, const Arguments& arguments, Budget& budget) {
  Bound("string", arguments, {});
  return to_text(input, budget);
}

Value same(const Value& input, const Arguments& arguments, Budget&) {
  Bound("safe", arguments, {});
  return input;
}

Value to_int(const Value& input, const Arguments& arguments, Budget&) {
  const Bound bound("int", arguments, {"default"});
  const Value fallback = bound.find(0) ? *bound.find(0) : Value(int64_t{0});
  if (const auto* v = input.if_bool()) return static_cast<int64_t>(*v);
  if (input.if_int()) return input;
  if (const auto* v = input.if_double()) return std::abs(*v) < 9e18 ? Value(static_cast<int64_t>(*v)) : fallback;
  const auto* text = input.if_string();
  if (!text) return fallback;
  const std::string plain(strip(*text));
  char* end = nullptr;
  errno = 0;
  const int64_t value = std::strtoll(plain.c_str(), &end, 10);
  return !plain.empty() && *end == '\0' && errno == 0 ? Value(value) : fallback;
}

Value to_float(const Value& input, const Arguments& arguments, Budget&) {
  const Bound bound("float", arguments, {"default"});
  if (const auto* v = input.if_bool()) return *v ? 1.0 : 0.0;
  if (const auto* v = input.if_int()) return static_cast<double>(*v);
  if (input.if_double()) return input;
  if (const auto* text = input.if_string()) {
    const std::string plain(strip(*text));
    char* end = nullptr;
    const double value = std::strtod(plain.c_str(), &end);
    if (!plain.empty() && *end == '\0') return value;
  }
  return bound.find(0) ? *bound.find(0) : Value(0.0);
}

Value absolute(const Value& input, const Arguments& arguments, Budget&) {
  Bound("abs", arguments, {});
  if (const auto* v = input.if_int(); v && *v != INT64_MIN) return std::abs(*v);
  if (const auto* v = input.if_double()) return std::abs(*v);
  fail(fmt::format("filter 'abs' got {}", type_name(input)), "give it a number");
}

// Indents every line but the first (unless first=true) and blank ones (unless blank=true).
Value indent(const Value& input, const Arguments& arguments, Budget& budget) {
  const Bound bound("indent", arguments, {"width", "first", "blank"});
  std::string margin;
  if (bound.find(0) && bound.find(0)->if_string()) {
    margin = *bound.find(0)->if_string();
  } else {
    margin.assign(static_cast<size_t>(std::clamp<int64_t>(bound.integer(0, 4), 0, kMaxIndent)), ' ');
  }
  const auto lines = split_lines(to_text(input, budget) + "\n");
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool is_indented =
        (i == 0 ? bound.truth(1, false) : true) && (!lines[i].empty() || bound.truth(2, false) || i == 0);
    out += fmt::format("{}{}{}", i > 0 ? "\n" : "", is_indented ? margin : "", lines[i]);
    budget.spend_text(margin.size());
  }
  return out;
}

struct FilterEntry {
  std::string_view name;
  Filter apply;
};
constexpr FilterEntry kFilters[] = {
    {"abs", absolute},
    {"capitalize", change_case<capitalize>},
    {"count", length},
    {"d", default_value},
    {"default", default_value},
    {"dictsort", dictsort},
    {"first", first_item},
    {"float", to_float},
    {"indent", indent},
    {"int", to_int},
    {"items", dict_items},
    {"join", join},
    {"last", last_item},
    {"length", length},
    {"list", to_list},
    {"lower", change_case<to_lower>},
    {"map", map_items},
    {"max", max_item},
    {"min", min_item},
    {"reject", reject},
    {"rejectattr", reject_attribute},
    {"replace", replace_filter},
    {"reverse", reverse},
    {"safe", same},
    {"select", select},
    {"selectattr", select_attribute},
    {"sort", sort},
    {"string", string},
    {"sum", sum},
    {"title", change_case<title>},
    {"tojson", tojson},
    {"trim", trim},
    {"unique", unique},
    {"upper", change_case<to_upper>},
};

const FilterEntry* find_filter(std::string_view name) {
  const auto* at =
      std::find_if(std::begin(kFilters), std::end(kFilters), [&](const auto& f) { return f.name == name; });
  return at == std::end(kFilters) ? nullptr : at;
}

}  // namespace

std::string checked_replace(std::string_view text, std::string_view from, std::string_view to, int64_t limit,
                            Budget& budget) {
  // The most that it can make, before it is made.
  const size_t most = from.empty() ? text.size() + 1 : text.size() / from.size();
  budget.spend_text(text.size() + (to.size() > from.size() ? most * (to.size() - from.size()) : 0));
  return replace(text, from, to, limit);
}

bool is_filter(std::string_view name) { return find_filter(name) != nullptr; }

std::string supported_filters() {
  std::string text = "supported filters:";
  for (const auto& filter : kFilters) text += fmt::format(" {}", filter.name);
  return text;
}

Value apply_filter(std::string_view name, const Value& input, const Arguments& arguments, Budget& budget) {
  budget.spend(1);
  const auto* filter = find_filter(name);
  if (!filter) fail(fmt::format("filter '{}' is not supported", name), supported_filters());
  return filter->apply(input, arguments, budget);
}

}  // namespace r1::text::jinja
