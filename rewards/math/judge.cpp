#include "rewards/math/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "core/log.h"
#include "rewards/math/answer.h"
#include "rewards/math/compare.h"
#include "rewards/math/normal_text.h"
#include "rewards/math/parser.h"
#include "rewards/math/text_answer.h"
#include "rewards/math/zero.h"

namespace r1::rewards::math {
namespace {

constexpr size_t kMaxShown = 60;

std::string shown(std::string_view text) {
  return log::printable(text.size() <= kMaxShown ? text : std::string(text.substr(0, kMaxShown)) + "...");
}

MathJudgement equal() { return {.verdict = MathVerdict::kEqual}; }
MathJudgement different(std::string reason) {
  return {.verdict = MathVerdict::kDifferent, .reason = std::move(reason)};
}
MathJudgement undecided(Fault fault, std::string reason) {
  return {.verdict = MathVerdict::kUndecided, .fault = fault, .reason = std::move(reason)};
}

// "\approx 3.14": right is what rounds to it.
std::optional<Rational> take_tolerance(std::string_view& gold) {
  bool is_found = false;
  for (const std::string_view word : {"\\approx", "\xE2\x89\x88", "approximately", "about", "roughly", "~"}) {
    if (!gold.starts_with(word)) continue;
    gold.remove_prefix(word.size());
    is_found = true;
    break;
  }
  if (!is_found) return {};
  gold = unwrapped(gold);
  const auto digits = gold.substr(gold.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789.,") != digits.npos) return {};
  const auto point = digits.find('.');
  const auto places = point == digits.npos ? 0 : static_cast<int64_t>(digits.size() - point) - 1;
  return power(Rational(10), -places) / Rational(2);
}

// Letters of multiple choice. Nothing if the key is none.
std::optional<MathJudgement> judge_choice(std::string_view answer, std::string_view gold) {
  const auto key = parse_choice(gold);
  if (!key) return {};
  const auto choice = parse_choice(answer);
  if (choice) {
    return choice->letter == key->letter
               ? equal()
               : different(fmt::format("the choice is {} and not {}", choice->letter, key->letter));
  }
  if (!key->content.empty()) return judge_answer(answer, key->content);
  return different("the answer is no choice");
}

std::optional<MathJudgement> judge_time_or_date(std::string_view answer, std::string_view gold) {
  if (const auto key = parse_date(gold)) {
    const auto date = parse_date(answer);
    if (!date) return different("the answer is no date");
    return *date == *key ? equal() : different("another date");
  }
  const auto key = parse_time(gold);
  const auto time = key ? parse_time(answer) : std::nullopt;
  if (!key || (!time && !key->has_half_day)) return {};
  if (!time) return different("the answer is no time of day");
  if (time->seconds == key->seconds) return equal();
  const int half_day = 12 * 3600;
  const bool may_be_same = time->has_half_day != key->has_half_day && (time->seconds - key->seconds) % half_day == 0;
  if (may_be_same) return undecided(Fault::kComparison, "one time does not say which half of the day it means");
  return different("another time");
}

MathJudgement from_comparison(const Comparison& comparison) {
  if (comparison.equal == Tri::kYes) return equal();
  if (comparison.equal == Tri::kNo) return different(comparison.reason);
  if (comparison.has_no_value)
    return different(fmt::format("the answer has no value: {}", comparison.reason));  // the key has one
  return undecided(Fault::kComparison, comparison.reason);
}

// What may be compared word by word though it is no mathematics: several words and no formula's signs.
bool is_sentence(std::string_view text) {
  const auto words = normalized_words(text);
  return text.find_first_of("\\^_{}=+*/<>|[]()") == text.npos && words.find(' ') != words.npos &&
         std::count_if(words.begin(), words.end(), [](char c) { return c >= 'a' && c <= 'z'; }) >= 3;
}

struct Reading {
  std::string_view text;
  std::optional<Parsed> parsed[3];  // by CommaStyle
};

// Both texts read with their commas in one way, or in ways that fit each other.
MathJudgement compare_readings(const Ast& ast, const Reading& gold, const Reading& answer,
                               const std::optional<Rational>& tolerance) {
  constexpr auto kThousands = static_cast<size_t>(CommaStyle::kThousands),
                 kList = static_cast<size_t>(CommaStyle::kList), kDecimal = static_cast<size_t>(CommaStyle::kDecimal);
  Budget budget;
  const auto with = [&](size_t i, size_t j) {
    return compare_answers(ast, gold.parsed[i]->root, answer.parsed[j]->root, budget, tolerance);
  };
  const auto first = with(kThousands, kThousands);
  if (first.equal == Tri::kYes) return equal();
  const std::pair<size_t, size_t> others[]{{kList, kList}, {kDecimal, kThousands}, {kThousands, kDecimal}};
  for (const auto& [i, j] : others) {
    if (!gold.parsed[i] || !answer.parsed[j]) continue;
    const bool is_number_needed = i == kDecimal || j == kDecimal;
    const auto other = is_number_needed && i == kDecimal ? answer.parsed[j]->root : gold.parsed[i]->root;
    if (is_number_needed && ast[other].kind != NodeKind::kNumber) continue;
    if (with(i, j).equal == Tri::kYes) return equal();
  }
  return from_comparison(first);
}

void read_other_styles(Reading& reading, Ast& ast, bool is_other_ambiguous) {
  if (!reading.parsed[0]->has_ambiguous_comma) {
    if (is_other_ambiguous) reading.parsed[1] = reading.parsed[0];
    return;
  }
  for (const auto style : {CommaStyle::kList, CommaStyle::kDecimal}) {
    try {
      reading.parsed[static_cast<size_t>(style)] = parse(reading.text, style, ast);
    } catch (const ParseError&) {
    }
  }
}

// A key that has no value makes every verdict undecided: compared with itself it must be equal.
std::optional<MathJudgement> check_key(const Ast& ast, NodeId root) {
  try {
    Budget budget;
    const auto self = compare_answers(ast, root, root, budget, {});
    if (self.equal == Tri::kYes) return {};
    return undecided(Fault::kKey, fmt::format("the answer key has no value: {}", self.reason));
  } catch (const Overrun& overrun) {
    return undecided(Fault::kKey, fmt::format("the answer key is too much: {}", overrun.why));
  }
}

MathJudgement judge_expressions(std::string_view answer_text, std::string_view gold_text) {
  Ast ast;
  Reading gold{.text = gold_text, .parsed = {}}, answer{.text = answer_text, .parsed = {}};
  const auto tolerance = take_tolerance(gold.text);
  try {
    gold.parsed[0] = parse(gold.text, CommaStyle::kThousands, ast);
  } catch (const ParseError& error) {
    if (is_sentence(gold.text)) {
      return normalized_words(gold.text) == normalized_words(answer.text) ? equal() : different("the words differ");
    }
    return undecided(Fault::kKey, fmt::format("the answer key '{}' cannot be read: {}", shown(gold.text), error.why));
  } catch (const Overrun& overrun) {
    return undecided(Fault::kKey, fmt::format("the answer key '{}' is too much: {}", shown(gold.text), overrun.why));
  }
  try {
    answer.parsed[0] = parse(answer.text, CommaStyle::kThousands, ast);
    const bool is_gold_ambiguous = gold.parsed[0]->has_ambiguous_comma,
               is_ambiguous = answer.parsed[0]->has_ambiguous_comma;
    read_other_styles(gold, ast, is_ambiguous);
    read_other_styles(answer, ast, is_gold_ambiguous);
    auto judgement = compare_readings(ast, gold, answer, tolerance);
    if (judgement.verdict == MathVerdict::kEqual && ast[gold.parsed[0]->root].kind == NodeKind::kNumber)
      return judgement;
    if (auto bad_key = check_key(ast, gold.parsed[0]->root)) return *bad_key;
    return judgement;
  } catch (const ParseError& error) {
    if (auto bad_key = check_key(ast, gold.parsed[0]->root)) return *bad_key;
    return different(fmt::format("'{}' cannot be read: {}", shown(answer.text), error.why));
  } catch (const Overrun& overrun) {
    if (auto bad_key = check_key(ast, gold.parsed[0]->root)) return *bad_key;
    return undecided(Fault::kAnswer, fmt::format("the answer '{}' is too much: {}", shown(answer.text), overrun.why));
  } catch (const Undefined& undefined) {
    return undecided(Fault::kComparison, undefined.why);
  }
}

// A reward is total: what a library refuses (memory, a size) ends one verdict and not the run.
MathJudgement judge_safely(std::string_view answer, std::string_view gold) {
  try {
    return judge_expressions(answer, gold);
  } catch (const std::exception& error) {
    return undecided(Fault::kComparison, fmt::format("the comparison was stopped: {}", error.what()));
  }
}

}  // namespace

std::string_view to_string(MathVerdict verdict) {
  switch (verdict) {
    case MathVerdict::kEqual:
      return "equal";
    case MathVerdict::kDifferent:
      return "different";
    default:
      return "undecided";
  }
}

MathJudgement judge_answer(std::string_view answer, std::string_view gold) {
  answer = unwrapped(answer);
  gold = unwrapped(gold);
  if (gold.empty()) return undecided(Fault::kKey, "the answer key is blank");
  if (gold.size() > kMaxAnswerBytes) return undecided(Fault::kKey, "the answer key is too long");
  if (answer.empty()) return different("there is no answer");
  if (answer.size() > kMaxAnswerBytes) return undecided(Fault::kAnswer, "the answer is too long");
  const auto single_answer = undoubled(answer), single_gold = undoubled(gold);
  if (single_answer || single_gold)
    return judge_answer(single_answer ? *single_answer : answer, single_gold ? *single_gold : gold);
  if (auto judgement = judge_choice(answer, gold)) return *judgement;
  if (auto judgement = judge_time_or_date(answer, gold)) return *judgement;
  if (is_words(gold)) {
    return normalized_words(gold) == normalized_words(answer) ? equal() : different("the words differ");
  }
  return judge_safely(answer, gold);
}

MathJudgement judge_math(std::string_view completion, std::string_view gold, const MathOptions& options) {
  const auto found = find_math_answer(completion, options.place);
  std::optional<FoundAnswer> key;  // a key may be a whole solution
  if (gold.find("\\boxed") != gold.npos || gold.find("####") != gold.npos)
    key = find_math_answer(gold, AnswerPlace::kAnywhere);
  if (key) gold = key->text;
  auto judgement = judge_answer(found ? std::string_view(found->text) : std::string_view(), gold);
  if (found) {
    judgement.place = found->place;
    judgement.answer = normal_text(found->text);
  }
  return judgement;
}

std::string_view missing_abilities() {
  return has_balls() ? "" : "built without FLINT and Arb: what exact arithmetic does not settle stays undecided";
}

}  // namespace r1::rewards::math
