#include "rewards/length.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace r1::rewards {
namespace {

Score of_value(double value, std::string detail) {
  return {.value = value, .verdict = Verdict::kRight, .parts = {}, .detail = std::move(detail)};
}

Score unknown(std::string_view what) { return to_score({Verdict::kUndecided, fmt::format("{} is unknown", what)}); }

// CosFn of the paper's Eq. 1: `at_begin` at t = 0, `at_end` at t = T.
double cosine_between(double at_begin, double at_end, double t, double T) {
  return at_end + 0.5 * (at_begin - at_end) * (1 + std::cos(t * std::numbers::pi / T));
}

}  // namespace

double soft_overlong(int64_t num_tokens, int64_t max_new_tokens, int64_t soft_tokens) {
  if (soft_tokens <= 0) return 0;
  const auto over = static_cast<double>(num_tokens - (max_new_tokens - soft_tokens));
  return -std::clamp(over / static_cast<double>(soft_tokens), 0.0, 1.0);
}

Score OverlongReward::score_reply(const Prompt&, const Reply& reply) const {
  if (!reply.num_tokens) return unknown("the length in tokens");
  if (reply.context.max_new_tokens <= 0) return unknown("the limit of the length");
  const double value = soft_overlong(*reply.num_tokens, reply.context.max_new_tokens, soft_tokens_);
  return of_value(value,
                  value == 0 ? "" : fmt::format("{} tokens of {}", *reply.num_tokens, reply.context.max_new_tokens));
}

void validate(const CosineOptions& o) {
  const auto check = [](bool is_fine, std::string_view key, const std::string& what) {
    if (!is_fine)
      throw Error(fmt::format("rewards.{}", key), what, "leave the cosine bounds at their defaults, or order them so");
  };
  for (const double bound : {o.right_short, o.right_long, o.wrong_short, o.wrong_long, o.exceeded}) {
    check(std::isfinite(bound), "cosine_right_short", "the bounds of the cosine reward must be finite");
  }
  check(o.right_short >= o.right_long, "cosine_right_short",
        fmt::format("must be at least cosine_right_long = {}, got {}", o.right_long, o.right_short));
  check(o.wrong_short <= o.wrong_long, "cosine_wrong_short",
        fmt::format("must be at most cosine_wrong_long = {}, got {}", o.wrong_long, o.wrong_short));
  check(o.right_long > o.wrong_long, "cosine_right_long",
        fmt::format("must be above cosine_wrong_long = {}, got {}: else a wrong answer pays", o.wrong_long,
                    o.right_long));
  check(
      o.exceeded <= o.wrong_long, "cosine_exceeded",
      fmt::format("must be at most cosine_wrong_long = {}, got {}: else being cut off pays", o.wrong_long, o.exceeded));
  check(o.max_tokens >= 0, "cosine_max_tokens", fmt::format("must be at least 0, got {}", o.max_tokens));
}

double cosine_length(int64_t num_tokens, int64_t max_tokens, Verdict verdict, const CosineOptions& o) {
  const auto length = static_cast<double>(std::clamp<int64_t>(num_tokens, 0, max_tokens));
  const auto longest = static_cast<double>(std::max<int64_t>(max_tokens, 1));
  return verdict == Verdict::kRight ? cosine_between(o.right_short, o.right_long, length, longest)
                                    : cosine_between(o.wrong_short, o.wrong_long, length, longest);
}

Score CosineReward::score_reply(const Prompt&, const Reply& reply) const {
  if (reply.verdict == Verdict::kUndecided) return unknown("whether the answer is right");
  if (reply.finish == FinishReason::kLength) return of_value(options_.exceeded, "cut off");
  if (!reply.num_tokens) return unknown("the length in tokens");
  const auto limit = options_.max_tokens > 0 ? options_.max_tokens : reply.context.max_new_tokens;
  if (limit <= 0) return unknown("the limit of the length");
  return of_value(cosine_length(*reply.num_tokens, limit, reply.verdict, options_), "");
}

}  // namespace r1::rewards
