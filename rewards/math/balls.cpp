#ifdef R1_HAVE_ARB
#include "rewards/math/balls.h"

#include <acb.h>
#include <arb.h>

#include <array>
#include <cmath>
#include <utility>

#include "rewards/math/zero.h"

namespace r1::rewards::math {
namespace {

class Ball {
 public:
  Ball() { acb_init(value_); }
  ~Ball() { acb_clear(value_); }
  Ball(Ball&& other) noexcept {
    acb_init(value_);
    acb_swap(value_, other.value_);
  }
  Ball& operator=(Ball&& other) noexcept {
    acb_swap(value_, other.value_);
    return *this;
  }
  Ball(const Ball& other) {
    acb_init(value_);
    acb_set(value_, other.value_);
  }
  Ball& operator=(const Ball&) = delete;
  acb_ptr get() { return value_; }
  acb_srcptr get() const { return value_; }

 private:
  acb_t value_;
};

void set_integer(fmpz_t out, const BigInt& value) {
  const BigInt magnitude = value < 0 ? BigInt(-value) : value;
  const auto digits = magnitude.str(0, std::ios_base::hex);
  fmpz_set_str(out, (value < 0 ? "-" + digits : digits).c_str(), 16);
}

Ball to_ball(const Rational& value, int precision) {
  Ball ball;
  if (value.is_small()) {
    arb_set_si(acb_realref(ball.get()), value.small_numerator());
    if (!value.is_integer()) {
      arb_div_si(acb_realref(ball.get()), acb_realref(ball.get()), value.small_denominator(), precision);
    }
    return ball;
  }
  fmpz_t above, below;
  fmpz_init(above);
  fmpz_init(below);
  set_integer(above, value.numerator());
  set_integer(below, value.denominator());
  arb_fmpz_div_fmpz(acb_realref(ball.get()), above, below, precision);
  fmpz_clear(above);
  fmpz_clear(below);
  return ball;
}

class Evaluator {
 public:
  Evaluator(Field& field, int precision, int sample)
      : field_(field), precision_(precision), sample_(sample), known_(field.num_atoms()) {
    field_.budget().charge(20);
  }

  bool left_real() const { return left_real_; }

  Ball value(const Poly& p) {
    Ball sum;
    for (const auto& term : p.terms()) {
      field_.budget().charge(1 + precision_ / 512);
      auto product = to_ball(term.coefficient, precision_);
      for (const auto& factor : term.monomial) {
        const auto power = factor_value(factor);
        acb_mul(product.get(), product.get(), power.get(), precision_);
      }
      acb_add(sum.get(), sum.get(), product.get(), precision_);
    }
    return sum;
  }

  Ball value(const Frac& x) {
    auto above = value(x.above);
    if (x.below.is_one()) return above;
    const auto below = value(x.below);
    acb_div(above.get(), above.get(), below.get(), precision_);
    return above;
  }

 private:
  Ball factor_value(const Factor& factor) {
    const auto& atom = field_.atom(factor.atom);
    const auto [numerator, denominator] = factor.exponent;
    if (atom.kind == AtomKind::kMinusOne) return unit_root(factor.exponent);
    if (atom.kind == AtomKind::kExpMonomial || atom.kind == AtomKind::kExp) {  // exp(c m), not exp(m)^c
      Ball result;
      auto argument = atom.kind == AtomKind::kExp ? value(atom.args[0]) : value(Poly(Term{1, atom.monomial}));
      const auto c = to_ball(to_rational(factor.exponent), precision_);
      acb_mul(argument.get(), argument.get(), c.get(), precision_);
      field_.budget().charge(10 + precision_ / 32);
      exp_of(result, argument);
      return result;
    }
    Ball result = atom_value(factor.atom);
    if (denominator == 1) {
      if (numerator != 1) acb_pow_si(result.get(), result.get(), numerator, precision_);
      return result;
    }
    field_.budget().charge(10 + precision_ / 32);
    root_of(result, factor.exponent, atom.is_positive);
    return result;
  }

  // acb_exp spends time in proportion to how large its argument is only up to its precision; beyond, the ball is
  // infinite.
  void exp_of(Ball& result, const Ball& argument) {
    if (!acb_is_finite(argument.get()) || arf_cmpabs_2exp_si(arb_midref(acb_realref(argument.get())), 40) > 0 ||
        arf_cmpabs_2exp_si(arb_midref(acb_imagref(argument.get())), 60) > 0) {
      acb_indeterminate(result.get());
      return;
    }
    acb_exp(result.get(), argument.get(), precision_);
  }

  void root_of(Ball& base, Exponent exponent, bool is_positive) {
    const bool is_proved_positive = arb_is_zero(acb_imagref(base.get())) && arb_is_positive(acb_realref(base.get()));
    if (!is_proved_positive && !is_positive) left_real_ = true;
    if (is_proved_positive && exponent.denominator <= 64) {
      arb_root_ui(acb_realref(base.get()), acb_realref(base.get()), static_cast<ulong>(exponent.denominator),
                  precision_);
      acb_pow_si(base.get(), base.get(), exponent.numerator, precision_);
      return;
    }
    const auto power = to_ball(to_rational(exponent), precision_);
    acb_pow(base.get(), base.get(), power.get(), precision_);
  }

  Ball unit_root(Exponent angle) {
    Ball result;
    const auto turns = to_ball(to_rational(angle), precision_);
    field_.budget().charge(precision_ / 64);
    acb_exp_pi_i(result.get(), turns.get(), precision_);
    return result;
  }

  const Ball& atom_value(AtomId id) {
    if (id >= known_.size()) known_.resize(id + size_t{1});
    if (!known_[id]) {
      Ball result;
      compute_atom(result, id);
      known_[id] = std::move(result);
    }
    return *known_[id];
  }

  void compute_atom(Ball& result, AtomId id) {
    const auto& atom = field_.atom(id);
    field_.budget().charge(4 + precision_ / 64);
    switch (atom.kind) {
      case AtomKind::kPi:
        arb_const_pi(acb_realref(result.get()), precision_);
        return;
      case AtomKind::kE:
        arb_const_e(acb_realref(result.get()), precision_);
        return;
      case AtomKind::kSymbol:
        result = to_ball(sample_value(id), precision_);
        return;
      case AtomKind::kInteger:
        result = to_ball(Rational::from_big(atom.base, 1), precision_);
        return;
      case AtomKind::kRoot:
      case AtomKind::kSum:
        result = value(atom.args[0]);
        return;
      case AtomKind::kLog: {
        result = value(atom.args[0]);
        const bool is_proved = arb_is_zero(acb_imagref(result.get())) && arb_is_positive(acb_realref(result.get()));
        if (!is_proved) left_real_ = true;
        field_.budget().charge(10 + precision_ / 32);
        acb_log(result.get(), result.get(), precision_);
        return;
      }
      case AtomKind::kFunction:
        compute_function(result, atom);
        return;
      default:
        acb_indeterminate(result.get());
        return;
    }
  }

  void compute_function(Ball& result, const Atom& atom) {
    field_.budget().charge(100 + precision_);
    std::vector<Ball> args;
    for (const auto& arg : atom.args) args.push_back(value(arg));
    for (const auto& arg : args) {
      if (acb_is_finite(arg.get()) && arf_cmpabs_2exp_si(arb_midref(acb_realref(arg.get())), 40) <= 0) continue;
      acb_indeterminate(result.get());
      return;
    }
    if (atom.name == "gamma") {
      acb_gamma(result.get(), args[0].get(), precision_);
    } else if (atom.name == "atan") {
      acb_atan(result.get(), args[0].get(), precision_);
    } else if (atom.name == "asin") {
      acb_asin(result.get(), args[0].get(), precision_);
      if (!acb_is_real(result.get())) left_real_ = true;
    } else if (atom.name.starts_with("f:")) {
      made_up_function(result, atom, args);
    } else {
      acb_indeterminate(result.get());
    }
  }

  // Some quadratic, by the name's letters: two expressions in an unknown f that differ for this f differ.
  void made_up_function(Ball& result, const Atom& atom, std::vector<Ball>& args) {
    uint32_t seed = 7;
    for (const char c : atom.name) seed = seed * 31 + static_cast<unsigned char>(c);
    acb_set_si(result.get(), 3 + seed % 11);
    for (auto& arg : args) {
      Ball square;
      acb_mul(square.get(), arg.get(), arg.get(), precision_);
      seed = seed * 31 + 17;
      acb_mul_si(square.get(), square.get(), 2 + seed % 5, precision_);
      acb_mul_si(arg.get(), arg.get(), 3 + seed % 7, precision_);
      acb_add(result.get(), result.get(), square.get(), precision_);
      acb_add(result.get(), result.get(), arg.get(), precision_);
      acb_div_si(result.get(), result.get(), 13, precision_);
    }
  }

  Rational sample_value(AtomId id) const {
    if (Field::is_whole_number_name(field_.atom(id).name)) return 4 + 3 * sample_ + 5 * (id % 7);
    constexpr std::array<int64_t, 4> kScales{20, 3, 110, 1};
    const auto scale = kScales[static_cast<size_t>(sample_) % kScales.size()];
    return {scale * (17 + 29 * int64_t{id} + 101 * sample_), 10 * (23 + 7 * int64_t{id} + 3 * sample_)};
  }

  Field& field_;
  int precision_;
  int sample_;
  bool left_real_ = false;
  std::vector<std::optional<Ball>> known_;
};

// Memory that FLINT keeps for a thread goes when the thread does.
struct ThreadCleanup {
  ~ThreadCleanup() { flint_cleanup(); }
};

void clean_up_at_thread_end() { thread_local const ThreadCleanup cleanup; }

}  // namespace

bool has_balls() { return true; }

BallFacts evaluate(Field& field, const Poly& value, int precision_bits, int sample) {
  clean_up_at_thread_end();
  Evaluator evaluator(field, precision_bits, sample);
  const auto ball = evaluator.value(value);
  BallFacts facts;
  facts.is_known = acb_is_finite(ball.get()) != 0;
  facts.left_real = evaluator.left_real();
  if (!facts.is_known) return facts;
  facts.excludes_zero = acb_contains_zero(ball.get()) == 0;
  facts.is_real_part_only = arb_contains_zero(acb_imagref(ball.get())) != 0;
  const auto real = acb_realref(ball.get());
  facts.real_sign = arb_is_positive(real) ? 1 : arb_is_negative(real) ? -1 : 0;
  mag_t size;
  mag_init(size);
  acb_get_mag(size, ball.get());
  facts.log2_size = mag_is_zero(size) ? -1e18 : mag_get_d_log2_approx(size) + 1;
  mag_clear(size);
  return facts;
}

std::optional<Rational> floor_by_ball(Field& field, const Frac& value) {
  clean_up_at_thread_end();
  Evaluator evaluator(field, 128, 0);
  const auto ball = evaluator.value(value);
  if (!acb_is_finite(ball.get()) || !arb_contains_zero(acb_imagref(ball.get()))) return {};
  if (arf_cmpabs_2exp_si(arb_midref(acb_realref(ball.get())), 60) > 0) return {};
  std::optional<Rational> result;
  fmpz_t whole;
  fmpz_init(whole);
  arb_t floor;
  arb_init(floor);
  arb_floor(floor, acb_realref(ball.get()), 128);
  if (arb_get_unique_fmpz(whole, floor)) result = Rational(fmpz_get_si(whole));
  arb_clear(floor);
  fmpz_clear(whole);
  return result;
}

}  // namespace r1::rewards::math
#endif
