// Operators of the template language, with Python's rules for numbers, strings and lists.

#include <fmt/format.h>

#include <cmath>

#include "text/jinja_functions.h"

namespace r1::text::jinja {
namespace {

std::optional<int64_t> as_int(const Value& v) {
  if (const auto* b = v.if_bool()) return *b ? 1 : 0;
  return v.if_int() ? std::optional(*v.if_int()) : std::nullopt;
}

std::optional<double> as_double(const Value& v) {
  if (const auto* d = v.if_double()) return *d;
  const auto i = as_int(v);
  return i ? std::optional(static_cast<double>(*i)) : std::nullopt;
}

[[noreturn]] void overflow(std::string_view op) {
  fail(fmt::format("integer overflow in '{}'", op), "keep integers below 2^63");
}

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

int64_t power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(result, base, &result)) overflow("**");
    if (base >= -1 && base <= 1 && i > 1) return base == -1 && exponent % 2 != 0 ? -1 : base == -1 ? 1 : base;
  }
  return result;
}

// Python's int OP int; a float for / and for negative exponents.
Value integer_operation(std::string_view op, int64_t a, int64_t b) {
  int64_t result = 0;
  if (op == "+" && __builtin_add_overflow(a, b, &result)) overflow(op);
  if (op == "-" && __builtin_sub_overflow(a, b, &result)) overflow(op);
  if (op == "*" && __builtin_mul_overflow(a, b, &result)) overflow(op);
  if (op == "+" || op == "-" || op == "*") return result;
  if (op == "**") return b < 0 ? Value(std::pow(static_cast<double>(a), static_cast<double>(b))) : Value(power(a, b));
  if (b == 0) fail(fmt::format("'{}' by zero", op), "divide by another number");
  if (op == "/") return static_cast<double>(a) / static_cast<double>(b);
  if (b == -1) {
    if (a == INT64_MIN) overflow(op);
    return op == "%" ? int64_t{0} : -a;
  }
  return op == "//" ? floor_divide(a, b) : a - b * floor_divide(a, b);
}

Value float_operation(std::string_view op, double a, double b) {
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  if (op == "**") return std::pow(a, b);
  if (b == 0) fail(fmt::format("'{}' by zero", op), "divide by another number");
  if (op == "/") return a / b;
  if (op == "//") return std::floor(a / b);
  return a - b * std::floor(a / b);
}

Value repeat(const Value& value, int64_t times, Budget& budget) {
  times = std::max<int64_t>(times, 0);
  const auto size = static_cast<int64_t>(value.if_string() ? value.if_string()->size() : value.if_list()->items.size());
  int64_t total = 0;
  if (__builtin_mul_overflow(times, std::max<int64_t>(size, 1), &total)) overflow("*");
  budget.spend(value.if_string() ? total / 64 + 1 : total + 1);
  if (const auto* text = value.if_string()) {
    std::string out;
    for (int64_t i = 0; i < times && size > 0; ++i) out += *text;
    return out;
  }
  std::vector<Value> items;
  for (int64_t i = 0; i < times; ++i) {
    items.insert(items.end(), value.if_list()->items.begin(), value.if_list()->items.end());
  }
  return value.if_list()->is_tuple ? Value::tuple(std::move(items)) : Value::list(std::move(items));
}

Value add_lists(const List& a, const List& b, Budget& budget) {
  auto items = a.items;
  items.insert(items.end(), b.items.begin(), b.items.end());
  budget.spend(static_cast<int64_t>(items.size()));
  return a.is_tuple ? Value::tuple(std::move(items)) : Value::list(std::move(items));
}

}  // namespace

Value binary_operation(std::string_view op, const Value& left, const Value& right, Budget& budget) {
  budget.spend(1);
  if (op == "~") return to_text(left, budget) + to_text(right, budget);
  for (const auto* side : {&left, &right}) {
    if (side->is_undefined()) attribute_of(*side, "");  // fails with the name that is undefined
  }
  if (op == "+" && left.if_string() && right.if_string()) {
    budget.spend_text(left.if_string()->size() + right.if_string()->size());
    return *left.if_string() + *right.if_string();
  }
  if (op == "%" && left.if_string()) fail("string formatting with '%' is not supported", "use ~ to join strings");
  const bool joins_lists = op == "+" && left.if_list() && right.if_list();
  if (joins_lists && left.if_list()->is_tuple == right.if_list()->is_tuple) {
    return add_lists(*left.if_list(), *right.if_list(), budget);
  }
  const auto a_int = as_int(left), b_int = as_int(right);
  if (op == "*" && b_int && (left.if_string() || left.if_list())) return repeat(left, *b_int, budget);
  if (op == "*" && a_int && (right.if_string() || right.if_list())) return repeat(right, *a_int, budget);
  if (a_int && b_int) return integer_operation(op, *a_int, *b_int);
  const auto a = as_double(left), b = as_double(right);
  if (a && b) return float_operation(op, *a, *b);
  fail(fmt::format("'{}' between {} and {}", op, type_name(left), type_name(right)),
       "give operands of one type; ~ joins anything as text");
}

bool contains(const Value& container, const Value& item, Budget& budget) {
  if (const auto* text = container.if_string()) {
    const auto* part = item.if_string();
    if (!part) fail(fmt::format("'in <string>' with {}", type_name(item)), "search for a string");
    budget.spend_text(text->size());
    return text->find(*part) != std::string::npos;
  }
  if (const auto* dict = container.if_dict()) return item.if_string() && dict->find(*item.if_string());
  for (const auto& candidate : items_of(container, budget)) {
    if (equal(candidate, item, budget)) return true;
  }
  return false;
}

}  // namespace r1::text::jinja
