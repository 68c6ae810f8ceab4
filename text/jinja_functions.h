#pragma once
// What templates can apply and call: filters, tests, methods of values, and functions.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja_value.h"

namespace r1::text::jinja {

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

// Arguments, which must outlive this, by parameter name. Throws Error for too many, unknown or doubly given ones;
// `function` opens the text.
class Bound {
 public:
  Bound(std::string_view function, const Arguments& arguments, std::initializer_list<std::string_view> parameters);
  const Value* find(size_t parameter) const { return values_[parameter]; }  // null if not given
  const Value& require(size_t parameter) const;
  // The given value, or `fallback`; throws Error for another type.
  int64_t integer(size_t parameter, int64_t fallback) const;
  std::optional<std::string> text(size_t parameter) const;
  bool truth(size_t parameter, bool fallback) const;

 private:
  [[noreturn]] void wrong_type(size_t parameter, std::string_view wanted) const;
  std::string function_;
  std::vector<std::string_view> names_;
  std::vector<const Value*> values_;
};

bool is_filter(std::string_view name);
bool is_test(std::string_view name);
// For error texts: "supported filters: ...".
std::string supported_filters();
std::string supported_tests();
std::string supported_functions();

Value apply_filter(std::string_view name, const Value& input, const Arguments& arguments, Budget& budget);
bool apply_test(std::string_view name, const Value& input, const Arguments& arguments, Budget& budget);
// value.name(arguments) of strings, lists, dicts and loops.
Value call_method(const Value& value, std::string_view name, const Arguments& arguments, Budget& budget);
// Python has these as methods of every dict, before its keys: {{ d.items }} is not d["items"].
bool is_dict_method(std::string_view name);

// raise_exception, namespace, range, dict and strftime_now; `now` is in seconds since 1970.
bool is_function(std::string_view name);
Value call_function(std::string_view name, const Arguments& arguments, int64_t now, Budget& budget);

// left OP right for + - * / // % ** ~ as Python has them, and `item in container`.
Value binary_operation(std::string_view op, const Value& left, const Value& right, Budget& budget);
bool contains(const Value& container, const Value& item, Budget& budget);

// container[key], or an undefined value.
Value item_of(const Value& container, const Value& key);
// value.name of anything but a method.
Value attribute_of(const Value& value, std::string_view name);
// container[start:stop:step]; each bound none if left out.
Value slice_of(const Value& container, const Value& start, const Value& stop, const Value& step, Budget& budget);

}  // namespace r1::text::jinja
