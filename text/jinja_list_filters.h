#pragma once
// Filters on lists and dicts, for the table in jinja_filters.cpp.

#include <string>
#include <string_view>

#include "text/jinja_functions.h"

namespace r1::text::jinja {

using Filter = Value (*)(const Value& input, const Arguments& arguments, Budget& budget);

Value first_item(const Value& input, const Arguments& arguments, Budget& budget);
Value last_item(const Value& input, const Arguments& arguments, Budget& budget);
Value to_list(const Value& input, const Arguments& arguments, Budget& budget);
Value dict_items(const Value& input, const Arguments& arguments, Budget& budget);
Value dictsort(const Value& input, const Arguments& arguments, Budget& budget);
Value join(const Value& input, const Arguments& arguments, Budget& budget);
Value reverse(const Value& input, const Arguments& arguments, Budget& budget);
Value sort(const Value& input, const Arguments& arguments, Budget& budget);
Value unique(const Value& input, const Arguments& arguments, Budget& budget);
Value min_item(const Value& input, const Arguments& arguments, Budget& budget);
Value max_item(const Value& input, const Arguments& arguments, Budget& budget);
Value sum(const Value& input, const Arguments& arguments, Budget& budget);
Value map_items(const Value& input, const Arguments& arguments, Budget& budget);
Value select(const Value& input, const Arguments& arguments, Budget& budget);
Value reject(const Value& input, const Arguments& arguments, Budget& budget);
Value select_attribute(const Value& input, const Arguments& arguments, Budget& budget);
Value reject_attribute(const Value& input, const Arguments& arguments, Budget& budget);

// str.replace(), which can make far more text than it is given: pays before it makes any.
std::string checked_replace(std::string_view text, std::string_view from, std::string_view to, int64_t limit,
                            Budget& budget);

}  // namespace r1::text::jinja
