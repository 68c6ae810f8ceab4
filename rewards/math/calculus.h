#pragma once
// Sums, products, integrals and limits where they have a closed form that is known exactly: finite ones term by term,
// polynomials by Faulhaber's formula, geometric series, integrals of polynomials, exponentials and what lies between,
// limits by substitution and de l'Hospital's rule. Others stay names for themselves, equal only to the same.

#include "rewards/math/lower.h"

namespace r1::rewards::math {

class Calculus {
 public:
  explicit Calculus(Lowering& lowering) : lowering_(lowering), field_(lowering.field_) {}

  Frac value(const Node& node);  // of a kSum, kIntegral or kLimit

 private:
  // c * k^power * ratio^k
  struct Summand {
    Frac coefficient;
    int64_t power = 0;
    std::optional<Frac> ratio;
  };

  Frac sum(const Node& node);
  Frac product(const Node& node);
  Frac integral(const Node& node);
  Frac limit(const Node& node);
  Frac by_terms(const Node& node, int64_t first, int64_t last);
  Frac body_at(const Node& node, const Frac& counter);
  std::optional<Summand> summand_of(const Term& term, std::string_view counter);
  std::optional<Frac> finite_sum(const Summand& s, const Frac& first, const Frac& last);
  std::optional<Frac> infinite_sum(const Summand& s, const Frac& first);
  Frac power_sum(int64_t power, const Frac& last);  // 1^p + ... + last^p
  std::optional<Frac> antiderivative(const Frac& f, std::string_view variable);
  std::optional<Frac> antiderivative_of_term(const Term& term, std::string_view variable);
  std::optional<Frac> at_infinity(const Frac& f, std::string_view variable);
  std::optional<Frac> limit_of(const Frac& f, std::string_view variable, const Frac& target);
  Frac opaque(const Node& node, std::string_view name);

  Lowering& lowering_;
  Field& field_;
};

// f with a variable replaced. Throws Undefined where that divides by zero.
Frac substitute(Field& field, const Frac& f, std::string_view variable, const Frac& by);
// Nothing for functions whose derivative is not known.
std::optional<Frac> derivative(Field& field, const Frac& f, std::string_view variable);

}  // namespace r1::rewards::math
