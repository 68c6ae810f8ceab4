// Tests: {{ value is name }}.

#include <fmt/format.h>

#include <algorithm>

#include "text/jinja_functions.h"
#include "text/jinja_strings.h"

namespace r1::text::jinja {
namespace {

using Test = bool (*)(const Value& value, const Value* argument, Budget& budget);

int64_t integer_of(const Value& value) {
  if (const auto* v = value.if_bool()) return *v ? 1 : 0;
  if (const auto* v = value.if_int()) return *v;
  fail(fmt::format("a test on integers got {}", type_name(value)), "give it an integer");
}

bool is_iterable(const Value& v, const Value*, Budget&) {
  return v.if_string() || v.if_list() || v.if_dict() || v.is_undefined();
}
bool is_sequence(const Value& v, const Value*, Budget&) { return v.if_string() || v.if_list() || v.if_dict(); }
bool is_equal(const Value& v, const Value* a, Budget& b) { return equal(v, *a, b); }
bool is_unequal(const Value& v, const Value* a, Budget& b) { return !equal(v, *a, b); }
bool is_less(const Value& v, const Value* a, Budget& b) { return less(v, *a, b); }
bool is_greater(const Value& v, const Value* a, Budget& b) { return less(*a, v, b); }
bool is_at_most(const Value& v, const Value* a, Budget& b) { return less(v, *a, b) || equal(v, *a, b); }
bool is_at_least(const Value& v, const Value* a, Budget& b) { return less(*a, v, b) || equal(v, *a, b); }

bool is_divisible(const Value& v, const Value* a, Budget&) {
  const int64_t divisor = integer_of(*a);
  if (divisor == 0) fail("'is divisibleby' 0", "divide by another number");
  return divisor == -1 || integer_of(v) % divisor == 0;
}

// str.islower() and str.isupper(): some letter has case, and none the other one.
bool is_all(const Value& v, Budget& budget, std::string (*folded)(std::string_view),
            std::string (*other)(std::string_view)) {
  const auto text = to_text(v, budget);
  return folded(text) == text && other(text) != text;
}

struct TestEntry {
  std::string_view name;
  int num_arguments;
  Test holds;
};
constexpr TestEntry kTests[] = {
    {"boolean", 0, [](const Value& v, const Value*, Budget&) { return v.if_bool() != nullptr; }},
    {"defined", 0, [](const Value& v, const Value*, Budget&) { return !v.is_undefined(); }},
    {"divisibleby", 1, is_divisible},
    {"eq", 1, is_equal},
    {"equalto", 1, is_equal},
    {"even", 0, [](const Value& v, const Value*, Budget&) { return integer_of(v) % 2 == 0; }},
    {"false", 0, [](const Value& v, const Value*, Budget&) { return v.if_bool() && !*v.if_bool(); }},
    {"float", 0, [](const Value& v, const Value*, Budget&) { return v.if_double() != nullptr; }},
    {"ge", 1, is_at_least},
    {"greaterthan", 1, is_greater},
    {"gt", 1, is_greater},
    {"in", 1, [](const Value& v, const Value* a, Budget& b) { return contains(*a, v, b); }},
    {"integer", 0, [](const Value& v, const Value*, Budget&) { return v.if_int() != nullptr; }},
    {"iterable", 0, is_iterable},
    {"le", 1, is_at_most},
    {"lessthan", 1, is_less},
    {"lower", 0, [](const Value& v, const Value*, Budget& b) { return is_all(v, b, to_lower, to_upper); }},
    {"lt", 1, is_less},
    {"mapping", 0, [](const Value& v, const Value*, Budget&) { return v.if_dict() != nullptr; }},
    {"ne", 1, is_unequal},
    {"none", 0, [](const Value& v, const Value*, Budget&) { return v.is_none(); }},
    {"number", 0, [](const Value& v, const Value*, Budget&) { return v.if_int() || v.if_double() || v.if_bool(); }},
    {"odd", 0, [](const Value& v, const Value*, Budget&) { return integer_of(v) % 2 != 0; }},
    {"sequence", 0, is_sequence},
    {"string", 0, [](const Value& v, const Value*, Budget&) { return v.if_string() != nullptr; }},
    {"true", 0, [](const Value& v, const Value*, Budget&) { return v.if_bool() && *v.if_bool(); }},
    {"undefined", 0, [](const Value& v, const Value*, Budget&) { return v.is_undefined(); }},
    {"upper", 0, [](const Value& v, const Value*, Budget& b) { return is_all(v, b, to_upper, to_lower); }},
};

const TestEntry* find_test(std::string_view name) {
  const auto* at = std::find_if(std::begin(kTests), std::end(kTests), [&](const auto& t) { return t.name == name; });
  return at == std::end(kTests) ? nullptr : at;
}

}  // namespace

bool is_test(std::string_view name) { return find_test(name) != nullptr; }

std::string supported_tests() {
  std::string text = "supported tests:";
  for (const auto& test : kTests) text += fmt::format(" {}", test.name);
  return text;
}

bool apply_test(std::string_view name, const Value& input, const Arguments& arguments, Budget& budget) {
  budget.spend(1);
  const auto* test = find_test(name);
  if (!test) fail(fmt::format("test '{}' is not supported", name), supported_tests());
  if (!arguments.named.empty() || arguments.positional.size() != static_cast<size_t>(test->num_arguments)) {
    fail(fmt::format("test '{}' takes {} plain arguments", name, test->num_arguments), "give as many");
  }
  return test->holds(input, test->num_arguments > 0 ? &arguments.positional[0] : nullptr, budget);
}

}  // namespace r1::text::jinja
