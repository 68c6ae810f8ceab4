#include "rewards/countdown.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "rewards/countdown_parser.h"

namespace r1::rewards {
namespace {

Judgement wrong(std::string why) { return {.verdict = Verdict::kWrong, .detail = std::move(why)}; }

// Takes "= TARGET" off the end; false if what follows the equals sign is anything else.
bool drop_trailing_equals(std::span<const CountdownToken>& tokens, int64_t target) {
  const auto equals = std::find_if(tokens.begin(), tokens.end(), [](const auto& t) { return t.kind == '='; });
  if (equals == tokens.end()) return true;
  const auto rest = tokens.subspan(static_cast<size_t>(equals - tokens.begin()));
  if (rest.size() != 2 || rest[1].kind != 'n' || rest[1].value != target) return false;
  tokens = tokens.first(tokens.size() - 2);
  return true;
}

std::vector<int64_t> numbers_of(std::span<const CountdownToken> tokens) {
  std::vector<int64_t> numbers;
  for (const auto& token : tokens) {
    if (token.kind == 'n') numbers.push_back(token.value);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string without_blanks(std::string_view answer) {
  auto text = vote_text(answer);
  std::erase(text, ' ');
  return text;
}

}  // namespace

Judgement check_countdown(std::string_view answer, const tasks::CountdownKey& key, const CountdownOptions& options) {
  const auto read = tokenize_countdown(answer, options.spelling);
  if (!read.problem.empty()) return wrong(read.problem);
  std::span<const CountdownToken> tokens = read.tokens;
  if (options.trailing_equals == TrailingEquals::kAllowed && !drop_trailing_equals(tokens, key.target)) {
    return wrong("what follows the equals sign is not the target");
  }
  const auto numbers = numbers_of(tokens);
  if (numbers != key.numbers) {
    const auto shown = std::span(numbers).first(std::min<size_t>(numbers.size(), 20));
    return wrong(fmt::format("it uses the numbers [{}], not [{}]", fmt::join(shown, " "), fmt::join(key.numbers, " ")));
  }
  const auto result = evaluate_countdown(tokens, key);
  if (!result.value) return wrong(result.problem);
  if (*result.value == tasks::Rational{key.target}) return {.verdict = Verdict::kRight};
  return wrong(fmt::format("it equals {}, not {}", tasks::to_string(*result.value), key.target));
}

Score CountdownReward::score(const Prompt& prompt, std::string_view completion, FinishReason) const {
  const auto key = tasks::parse_key(prompt.answer);
  if (!key) return to_score({Verdict::kUndecided, "the answer key is no countdown key"});
  const auto answer = find_answer(completion, options_.place);
  if (!answer) return to_score(wrong("there is no answer"));
  auto judgement = check_countdown(*answer, *key, options_);
  judgement.answer = without_blanks(*answer);
  return to_score(std::move(judgement));
}

}  // namespace r1::rewards
