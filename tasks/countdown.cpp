#include "tasks/countdown.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_set>

#include "core/error.h"
#include "tasks/countdown_key.h"
#include "tasks/generator.h"

namespace r1::tasks {
namespace {

constexpr uint64_t kStream = 0x636F756E74646F77;  // "countdow": keeps these draws apart from other generators'
constexpr int kMoveTries = 32;
constexpr int kInstanceTries = 100'000;
constexpr int kMaxOption = 1'000'000;  // products of two numbers stay within int64

std::optional<int> within(int64_t value, const CountdownOptions& options) {
  if (value < 0 || value > options.max_intermediate) return {};
  return static_cast<int>(value);
}

std::optional<CountdownInstance> try_instance(const CountdownOptions& options, Split split, RandomStream& stream) {
  CountdownInstance instance;
  for (int i = 0; i < options.num_numbers; ++i) {
    instance.numbers.push_back(1 + static_cast<int>(stream.below(static_cast<uint64_t>(options.max_number))));
  }
  auto pool = instance.numbers;
  while (pool.size() > 1) {
    const auto move = draw_move(pool, options, stream);
    if (!move) return {};
    instance.witness.push_back(*move);
    play_move(pool, *move, *apply_operation(pool[move->left], pool[move->right], move->operation, options));
  }
  instance.target = pool[0];
  if (instance.target < options.min_target || instance.target > options.max_target) return {};
  if (!belongs(instance_hash(instance.numbers, instance.target), split, options.held_out_modulus)) return {};
  return instance;
}

// Depth-first over all pairs and operations; `moves` is the path so far.
struct Enumeration {
  const CountdownOptions& options;
  const std::function<void(std::span<const CountdownMove>, int)>& visit;
  std::vector<CountdownMove> moves;

  void from(const std::vector<int>& pool) {
    if (pool.size() == 1) return visit(moves, pool[0]);
    for (uint8_t i = 0; i < pool.size(); ++i) {
      for (uint8_t j = i + 1; j < pool.size(); ++j) pair(pool, i, j);
    }
  }

  void pair(const std::vector<int>& pool, uint8_t i, uint8_t j) {
    for (const char operation : options.operations) {
      CountdownMove move{i, j, operation};
      if ((operation == '-' || operation == '/') && pool[i] < pool[j]) std::swap(move.left, move.right);
      const auto result = apply_operation(pool[move.left], pool[move.right], operation, options);
      if (!result) continue;
      auto next = pool;
      play_move(next, move, *result);
      moves.push_back(move);
      from(next);
      moves.pop_back();
    }
  }
};

}  // namespace

void validate(const CountdownOptions& o) {
  require_in_range("countdown.num_numbers", o.num_numbers, 2, 6);
  require_in_range("countdown.max_number", o.max_number, 1, kMaxOption);
  require_in_range("countdown.max_intermediate", o.max_intermediate, o.max_number, kMaxOption);
  require_in_range("countdown.min_target", o.min_target, 0, o.max_intermediate);
  require_in_range("countdown.max_target", o.max_target, o.min_target, o.max_intermediate);
  require_in_range("countdown.held_out_modulus", o.held_out_modulus, 0, kMaxOption);
  require_operations("countdown.operations", o.operations, "+-*/");
}

std::optional<int> apply_operation(int left, int right, char operation, const CountdownOptions& options) {
  const int64_t a = left, b = right;
  switch (operation) {
    case '+':
      return within(a + b, options);
    case '-':
      return within(a - b, options);
    case '*':
      return within(a * b, options);
    case '/':
      return b != 0 && a % b == 0 ? within(a / b, options) : std::nullopt;
    default:
      return {};
  }
}

std::optional<CountdownMove> draw_move(std::span<const int> pool, const CountdownOptions& options,
                                       RandomStream& stream) {
  for (int attempt = 0; attempt < kMoveTries; ++attempt) {
    auto i = static_cast<uint8_t>(stream.below(pool.size()));
    auto j = static_cast<uint8_t>(stream.below(pool.size() - 1));
    if (j >= i) ++j;
    const char operation = options.operations[stream.below(options.operations.size())];
    const bool is_ordered = operation == '-' || operation == '/' ? pool[i] >= pool[j] : i < j;
    if (!is_ordered) std::swap(i, j);
    if (apply_operation(pool[i], pool[j], operation, options)) return CountdownMove{i, j, operation};
  }
  return {};
}

std::string countdown_expression(std::span<const int> numbers, std::span<const CountdownMove> moves,
                                 const CountdownOptions& options) {
  std::vector<CountdownTerm> pool;
  for (const int number : numbers) pool.push_back({number, std::to_string(number)});
  for (const auto& move : moves) {
    const auto& left = pool[move.left];
    const auto& right = pool[move.right];
    const int value = apply_operation(left.value, right.value, move.operation, options).value();
    play_move(pool, move, CountdownTerm{value, '(' + left.text + move.operation + right.text + ')'});
  }
  const auto& text = pool.at(0).text;
  return moves.empty() ? text : text.substr(1, text.size() - 2);
}

uint64_t instance_hash(std::span<const int> numbers, int target) {
  std::vector<int> sorted(numbers.begin(), numbers.end());
  std::sort(sorted.begin(), sorted.end());
  uint64_t hash = mix64(static_cast<uint64_t>(target));
  for (const int number : sorted) hash = mix64(hash ^ static_cast<uint64_t>(number));
  return hash;
}

CountdownInstance make_countdown(const CountdownOptions& options, Split split, uint64_t seed, uint64_t index) {
  RandomStream stream(seed, kStream + static_cast<uint64_t>(split), index);
  for (int attempt = 0; attempt < kInstanceTries; ++attempt) {
    if (auto instance = try_instance(options, split, stream)) return *instance;
  }
  throw Error("countdown",
              fmt::format("{} random expressions reached no target from {} to {} in this split", kInstanceTries,
                          options.min_target, options.max_target),
              "widen min_target to max_target, allow more operations, or lower held_out_modulus");
}

std::string countdown_prompt(const CountdownInstance& instance) {
  return fmt::format("{} = {}\n", fmt::join(instance.numbers, " "), instance.target);
}

void for_each_attempt(std::span<const int> numbers, const CountdownOptions& options,
                      const std::function<void(std::span<const CountdownMove>, int)>& visit) {
  Enumeration{options, visit, {}}.from({numbers.begin(), numbers.end()});
}

std::vector<std::string> solve_countdown(std::span<const int> numbers, int target, const CountdownOptions& options) {
  std::vector<std::string> solutions;
  std::unordered_set<std::string> seen;
  for_each_attempt(numbers, options, [&](std::span<const CountdownMove> moves, int value) {
    if (value != target) return;
    auto text = countdown_expression(numbers, moves, options);
    if (seen.insert(text).second) solutions.push_back(std::move(text));
  });
  return solutions;
}

QuestionSet countdown_set(const CountdownOptions& options, Split split, uint64_t seed, uint64_t size) {
  validate(options);
  const auto at = [=](uint64_t index) {
    const auto instance = make_countdown(options, split, seed, index);
    return Question{
        .id = generated_id("countdown", split, seed, index),
        .task = "countdown",
        .text = countdown_prompt(instance),
        .answer = format_key({.numbers = {instance.numbers.begin(), instance.numbers.end()},
                              .target = instance.target,
                              .operations = options.operations}),
        .metadata_json =
            fmt::format(R"({{"numbers":[{}],"target":{}}})", fmt::join(instance.numbers, ","), instance.target),
    };
  };
  return {.name = generated_name("countdown", split, seed), .size = size, .at = at};
}

}  // namespace r1::tasks
