// Functions by name: what each is in terms of Field's powers, exponentials and logarithms.

#include <algorithm>
#include <numeric>
#include <utility>

#include "rewards/math/budget.h"
#include "rewards/math/lower.h"
#include "rewards/math/zero.h"

namespace r1::rewards::math {
namespace {

constexpr int64_t kMaxFactorialSteps = 3'000;

struct Kin {
  std::string_view name;
  std::string_view of;  // 1 over it, or the same under another name
};
constexpr Kin kReciprocals[]{{"sec", "cos"}, {"csc", "sin"}, {"cot", "tan"}, {"coth", "tanh"}};
constexpr Kin kOtherNames[]{{"asin", "arcsin"},    {"acos", "arccos"},    {"atan", "arctan"}, {"arcsinh", "arsinh"},
                            {"arccosh", "arcosh"}, {"arctanh", "artanh"}, {"sign", "sgn"}};

std::string_view first_name(std::string_view name) {
  for (const auto& [other, first] : kOtherNames) {
    if (other == name) return first;
  }
  return name;
}

Rational ceiling(const Rational& value) { return -Rational::from_big((-value).floor(), 1); }

}  // namespace

Value Lowering::call(const Node& node) {
  if (node.text == "det" || node.text == "tr") {
    const auto m = value(node.children.at(0));
    if (!m.is_matrix()) {
      if (node.text == "det") return Value(field_.abs(m.scalar()));
      throw Undefined{"a trace of what is no matrix"};
    }
    if (node.text == "det") return Value(determinant(m));
    Frac sum;
    for (int i = 0; i < std::min(m.rows, m.columns); ++i) {
      sum = field_.add(sum, m.cells[static_cast<size_t>(i * m.columns + i)]);
    }
    return Value(sum);
  }
  return Value(function(first_name(node.text), node.children));
}

Frac Lowering::function(std::string_view name, const std::vector<NodeId>& nodes) {
  std::vector<Frac> args;
  for (const auto id : nodes) args.push_back(scalar(id));
  if (name.starts_with("f:")) return field_.function(name, std::move(args));
  if (name == "min" || name == "max") return extreme(name, args);
  if (auto result = whole_number_function(name, args)) return *result;
  if (args.size() == 2 && name == "log_base") {
    const auto base = field_.log(args[0]);
    return field_.divide(field_.log(args[1]), base);
  }
  if (args.size() == 2 && name == "root") {
    if (!args[1].is_rational() || args[1].rational().is_zero()) throw Undefined{"a root of a strange order"};
    return field_.power(args[0], Rational(1) / args[1].rational());
  }
  if (args.size() == 2 && name == "binom") return binomial(args[0], args[1]);
  if (args.size() != 1) throw Undefined{"a function with the wrong number of arguments"};
  const auto& x = args[0];
  for (const auto& [kin, of] : kReciprocals) {
    if (kin == name) return field_.divide(Frac(Rational(1)), function(of, nodes));
  }
  if (name == "sqrt") return field_.square_root(x);
  if (name == "cbrt") return field_.power(x, Rational(1, 3));
  if (name == "abs") return field_.abs(x);
  if (name == "exp") return field_.exp(x);
  if (name == "ln" || name == "log") return field_.log(x);  // "\log" without base: see judge.h
  if (name == "lg") return field_.divide(field_.log(x), field_.log(Frac(Rational(10))));
  if (name == "lb") return field_.divide(field_.log(x), field_.log(Frac(Rational(2))));
  if (name == "sin") return field_.sine(x);
  if (name == "cos") return field_.cosine(x);
  if (name == "tan") return field_.divide(field_.sine(x), field_.cosine(x));
  if (name == "arcsin") return field_.arc("asin", x);
  if (name == "arccos") return field_.arc("acos", x);
  if (name == "arctan") return field_.arc("atan", x);
  if (name == "factorial") return factorial(x, 1);
  if (name == "double_factorial") return factorial(x, 2);
  if (name == "Gamma") return field_.gamma(x);
  const Frac half{Rational(1, 2)}, one{Rational(1)};
  const auto rising = [&] { return field_.exp(x); };
  const auto falling = [&] { return field_.exp(field_.negate(x)); };
  if (name == "sinh") return field_.multiply(half, field_.subtract(rising(), falling()));
  if (name == "cosh") return field_.multiply(half, field_.add(rising(), falling()));
  if (name == "tanh") {
    return field_.divide(field_.subtract(rising(), falling()), field_.add(rising(), falling()));
  }
  if (name == "arsinh") return field_.log(field_.add(x, field_.square_root(field_.add(field_.multiply(x, x), one))));
  if (name == "arcosh")
    return field_.log(field_.add(x, field_.square_root(field_.subtract(field_.multiply(x, x), one))));
  if (name == "artanh")
    return field_.multiply(half, field_.log(field_.divide(field_.add(one, x), field_.subtract(one, x))));
  if (name == "Re") return field_.multiply(half, field_.add(x, field_.conjugate(x)));
  if (name == "Im") {
    return field_.divide(field_.subtract(x, field_.conjugate(x)), field_.multiply(Frac(Rational(2)), field_.i()));
  }
  if (name == "sgn") {
    const auto sign = sign_of(field_, x);
    return sign ? Frac(Rational(*sign)) : field_.function("opaque:sgn", {x});
  }
  return field_.function("opaque:" + std::string(name), {x});
}

// Functions of whole numbers, where their arguments are known.
std::optional<Frac> Lowering::whole_number_function(std::string_view name, const std::vector<Frac>& args) {
  if ((name == "floor" || name == "ceil") && args.size() == 1) {
    if (args[0].is_rational() && name == "ceil") return Frac(ceiling(args[0].rational()));
    const auto value = name == "floor" ? args[0] : field_.negate(args[0]);
    if (const auto floor = floor_of(field_, value)) return Frac(name == "floor" ? *floor : -*floor);
    return {};
  }
  if (name != "gcd" && name != "lcm" && name != "mod") return {};
  std::vector<int64_t> numbers;
  for (const auto& arg : args) {
    const auto number = arg.is_rational() ? arg.rational().to_int64() : std::nullopt;
    if (!number) return {};
    numbers.push_back(*number);
  }
  if (name == "mod") {
    if (numbers.size() != 2 || numbers[1] <= 0) return {};
    return Frac(Rational(((numbers[0] % numbers[1]) + numbers[1]) % numbers[1]));
  }
  Rational result = numbers.at(0);
  for (const auto number : numbers) {
    const auto a = result.numerator();
    const BigInt b = number;
    result = Rational::from_big(name == "gcd" ? BigInt(gcd(a, b)) : BigInt(lcm(a, b)), 1);
  }
  return Frac(result);
}

Frac Lowering::extreme(std::string_view name, const std::vector<Frac>& args) {
  Frac best = args.at(0);
  for (size_t i = 1; i < args.size(); ++i) {
    const auto sign = sign_of(field_, field_.subtract(args[i], best));
    if (!sign) return field_.function("opaque:" + std::string(name), args);
    if ((name == "max") == (*sign > 0)) best = args[i];
  }
  return best;
}

Frac Lowering::factorial(const Frac& n, int64_t step) {
  if (!n.is_rational()) {
    if (step != 1) return field_.function("opaque:double_factorial", {n});
    return field_.gamma(field_.add(n, Frac(Rational(1))));
  }
  const auto whole = n.rational().to_int64();
  if (!whole || *whole < 0) throw Undefined{"a factorial of what is no whole number"};
  if (*whole > kMaxFactorialSteps) {
    if (step != 1) throw Overrun{"a factorial is too large"};
    return field_.gamma(field_.add(n, Frac(Rational(1))));
  }
  Rational product = 1;
  for (int64_t k = *whole; k > 1; k -= step) {
    field_.budget().charge(1 + product.bits() / 2'048);
    product = product * Rational(k);
  }
  return product;
}

Frac Lowering::binomial(const Frac& n, const Frac& k) {
  const auto below = k.is_rational() ? k.rational().to_int64() : std::nullopt;
  if (below && *below < 0) return Rational(0);
  const auto above = n.is_rational() ? n.rational().to_int64() : std::nullopt;
  auto count = below;
  if (above && below && *above >= *below && *above - *below < *below) count = *above - *below;
  if (count && *count <= 1'500 && (n.is_rational() || *count <= 12)) {
    Frac product{Rational(1)};
    for (int64_t i = 0; i < *count; ++i) {
      if (product.is_rational()) field_.budget().charge(1 + product.rational().bits() / 256);
      product = field_.multiply(product, field_.subtract(n, Frac(Rational(i))));
      product = field_.divide(product, Frac(Rational(i + 1)));
    }
    return product;
  }
  const Frac one{Rational(1)};
  const auto rest = field_.add(field_.subtract(n, k), one);
  return field_.divide(field_.gamma(field_.add(n, one)),
                       field_.multiply(field_.gamma(field_.add(k, one)), field_.gamma(rest)));
}

}  // namespace r1::rewards::math
