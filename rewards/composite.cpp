#include "rewards/composite.h"

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <utility>

#include "core/error.h"

namespace r1::rewards {

Composite::Composite(std::vector<Part> parts) : parts_(std::move(parts)) {
  if (parts_.empty()) throw Error("rewards", "a composite reward has no parts", "give it at least one part");
  std::set<std::string> names;
  for (const auto& part : parts_) {
    if (!names.insert(part.name).second) {
      throw Error("rewards", fmt::format("two parts are named '{}'", part.name), "give each part a name of its own");
    }
    if (!std::isfinite(part.weight)) {
      throw Error(fmt::format("rewards.{}_weight", part.name), fmt::format("must be finite, got {}", part.weight),
                  "use a weight such as 1");
    }
  }
}

Score Composite::score(const Prompt& prompt, std::string_view completion, FinishReason finish) const {
  if (finish == FinishReason::kCancelled) {
    return {.verdict = Verdict::kUndecided, .parts = {}, .detail = "the sample was cancelled"};
  }
  Score total;
  for (const auto& part : parts_) {
    auto score = part.reward->score(prompt, completion, finish);
    const double value = part.weight * score.value;
    total.value += value;
    total.parts.emplace_back(part.name, value);
    if (&part == &parts_.front()) {
      total.verdict = score.verdict;
      total.detail = std::move(score.detail);
    } else if (!score.detail.empty()) {
      total.detail += fmt::format("{}{}: {}", total.detail.empty() ? "" : "; ", part.name, score.detail);
    }
  }
  if (total.verdict == Verdict::kUndecided) return {.verdict = total.verdict, .parts = {}, .detail = total.detail};
  return total;
}

}  // namespace r1::rewards
