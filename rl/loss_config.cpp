// The settings of rl/loss.h: names in recipes, and what cannot work.

#include <utility>

#include "core/error.h"
#include "rl/loss.h"

namespace r1::rl {
namespace {

template <typename Value>
struct Named {
  const char* name;
  Value value;
};

constexpr Named<LossKind> kKinds[]{
    {"clip", LossKind::kClip}, {"cispo", LossKind::kCispo}, {"sapo", LossKind::kSapo}, {"vespo", LossKind::kVespo}};
constexpr Named<Aggregation> kAggregations[]{{"sequence_mean", Aggregation::kSequenceMean},
                                             {"token_mean", Aggregation::kTokenMean},
                                             {"constant", Aggregation::kConstant},
                                             {"length_weighted", Aggregation::kLengthWeighted}};
constexpr Named<RatioLevel> kLevels[]{{"token", RatioLevel::kToken}, {"sequence", RatioLevel::kSequence}};
constexpr Named<KlEstimator> kEstimators[]{{"k1", KlEstimator::kK1}, {"k2", KlEstimator::kK2}, {"k3", KlEstimator::kK3}};
constexpr Named<KlPlace> kPlaces[]{{"loss", KlPlace::kLoss}, {"reward", KlPlace::kReward}};
constexpr Named<Mismatch> kMismatches[]{
    {"none", Mismatch::kNone}, {"truncate", Mismatch::kTruncate}, {"mask", Mismatch::kMask}};

// The value of a key that must be one of the names in `table`.
template <typename Value, size_t N>
Value choose(const ConfigTable& config, std::string_view key, Value fallback, const Named<Value> (&table)[N]) {
  std::vector<std::string> names;
  std::string fallback_name;
  for (const auto& row : table) {
    names.emplace_back(row.name);
    if (row.value == fallback) fallback_name = row.name;
  }
  const auto chosen = config.get_choice(key, fallback_name, names);
  for (const auto& row : table) {
    if (chosen == row.name) return row.value;
  }
  return fallback;
}

}  // namespace

LossConfig read_loss(const ConfigTable& t, const LossConfig& d) {
  LossConfig c;
  c.kind = choose(t, "kind", d.kind, kKinds);
  c.aggregation = choose(t, "aggregation", d.aggregation, kAggregations);
  c.ratio_level = choose(t, "ratio_level", d.ratio_level, kLevels);
  c.clip_low = t.get_double("clip_low", d.clip_low);
  c.clip_high = t.get_double("clip_high", d.clip_high);
  c.dual_clip = t.get_double("dual_clip", d.dual_clip);
  c.kl_coef = t.get_double("kl_coef", d.kl_coef);
  c.kl_estimator = choose(t, "kl_estimator", d.kl_estimator, kEstimators);
  c.kl_place = choose(t, "kl_place", d.kl_place, kPlaces);
  c.corrects_kl_bias = t.get_bool("corrects_kl_bias", d.corrects_kl_bias);
  c.entropy_coef = t.get_double("entropy_coef", d.entropy_coef);
  c.mismatch = choose(t, "mismatch", d.mismatch, kMismatches);
  c.mismatch_low = t.get_double("mismatch_low", d.mismatch_low);
  c.mismatch_bound = t.get_double("mismatch_bound", d.mismatch_bound);
  c.off_policy_threshold = t.get_double("off_policy_threshold", d.off_policy_threshold);
  c.sapo_temperature_positive = t.get_double("sapo_temperature_positive", d.sapo_temperature_positive);
  c.sapo_temperature_negative = t.get_double("sapo_temperature_negative", d.sapo_temperature_negative);
  c.vespo_k_positive = t.get_double("vespo_k_positive", d.vespo_k_positive);
  c.vespo_lambda_positive = t.get_double("vespo_lambda_positive", d.vespo_lambda_positive);
  c.vespo_k_negative = t.get_double("vespo_k_negative", d.vespo_k_negative);
  c.vespo_lambda_negative = t.get_double("vespo_lambda_negative", d.vespo_lambda_negative);
  return c;
}

void validate(const LossConfig& c, const std::string& where) {
  const auto check = [&](bool is_good, std::string_view key, double got, std::string_view allowed) {
    if (!is_good) throw Error(fmt::format("{}.{}", where, key), fmt::format("must be {}, got {}", allowed, got), "use the default");
  };
  check(c.clip_low >= 0, "clip_low", c.clip_low, "0 or more");
  check(c.clip_high >= 0, "clip_high", c.clip_high, "0 or more");
  check(c.dual_clip == 0 || c.dual_clip > 1, "dual_clip", c.dual_clip, "0 (off) or above 1");
  check(c.kl_coef >= 0, "kl_coef", c.kl_coef, "0 or more");
  check(c.mismatch_low >= 0 && c.mismatch_low <= c.mismatch_bound, "mismatch_low", c.mismatch_low, "between 0 and mismatch_bound");
  check(c.mismatch_bound > 0, "mismatch_bound", c.mismatch_bound, "above 0");
  check(c.off_policy_threshold >= 0, "off_policy_threshold", c.off_policy_threshold, "0 (off) or above");
  check(c.sapo_temperature_positive > 0, "sapo_temperature_positive", c.sapo_temperature_positive, "above 0");
  check(c.sapo_temperature_negative > 0, "sapo_temperature_negative", c.sapo_temperature_negative, "above 0");
}

}  // namespace r1::rl
