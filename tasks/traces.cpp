#include "tasks/traces.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "tasks/generator.h"

namespace r1::tasks {
namespace {

constexpr uint64_t kStream = 0x7472616365730000;  // "traces": apart from the generators' own draws
constexpr int kAttemptTries = 64;
constexpr int kMaxAttempts = 1000;

struct Attempt {
  std::vector<CountdownMove> moves;
  int result = 0;
  uint64_t hash = 0;  // equal for equal steps, whatever the order of operands of + and *
};

// What one trace is made with.
struct Writer {
  const TraceOptions& options;
  const CountdownInstance& instance;
  RandomStream stream;
  std::vector<uint64_t> made = {};  // hashes of this trace's attempts, if they may not repeat

  void record(Attempt& attempt, std::vector<int>& pool, CountdownMove move) {
    const int left = pool[move.left], right = pool[move.right];
    attempt.result = apply_operation(left, right, move.operation, options.countdown).value();
    const auto [low, high] = std::minmax(left, right);
    attempt.hash = mix64(attempt.hash ^ static_cast<uint64_t>(move.operation) ^ static_cast<uint64_t>(low) << 8 ^
                         static_cast<uint64_t>(high) << 32);
    attempt.moves.push_back(move);
    play_move(pool, move, attempt.result);
  }

  Attempt led() {
    Attempt attempt;
    auto pool = instance.numbers;
    for (const auto& move : instance.witness) record(attempt, pool, move);
    return attempt;
  }

  // Nothing if the walk came to a pool without a legal step.
  std::optional<Attempt> random_walk() {
    Attempt attempt;
    auto pool = instance.numbers;
    while (pool.size() > 1) {
      const auto move = draw_move(pool, options.countdown, stream);
      if (!move) return {};
      record(attempt, pool, *move);
    }
    return attempt;
  }

  bool is_new(const Attempt& attempt) {
    if (options.repeats == Repeats::kAllowed) return true;
    if (std::find(made.begin(), made.end(), attempt.hash) != made.end()) return false;
    made.push_back(attempt.hash);
    return true;
  }

  // A trace ends at its first solution, so the led attempt is always new: it is what is left when no other is found.
  Attempt next_attempt() {
    if (stream.uniform() < options.led_share) return led();
    for (int i = 0; i < kAttemptTries; ++i) {
      const auto attempt = random_walk();
      if (attempt && is_new(*attempt)) return *attempt;
    }
    return led();
  }

  void write_steps(const Attempt& attempt, std::string& text) {
    auto pool = instance.numbers;
    for (size_t i = 0; i < attempt.moves.size(); ++i) {
      const auto& move = attempt.moves[i];
      int left = pool[move.left], right = pool[move.right];
      const int result = apply_operation(left, right, move.operation, options.countdown).value();
      const bool is_commutative = move.operation == '+' || move.operation == '*';
      if (is_commutative && options.operand_order == OperandOrder::kRandom && stream.below(2)) std::swap(left, right);
      if (i > 0) text += options.step_separator;
      fmt::format_to(std::back_inserter(text), "{}{}{}={}", left, move.operation, right, result);
      play_move(pool, move, result);
    }
  }
};

int draw_num_attempts(const TraceOptions& options, double weight_sum, RandomStream& stream) {
  double rest = stream.uniform() * weight_sum;
  for (size_t i = 0; i + 1 < options.attempts.size(); ++i) {
    rest -= options.attempt_weights[i];
    if (rest < 0) return options.attempts[i];
  }
  return options.attempts.back();
}

}  // namespace

void validate(const TraceOptions& o) {
  validate(o.countdown);
  if (o.attempts.empty() || o.attempts.size() != o.attempt_weights.size()) {
    throw Error("traces.attempt_weights",
                fmt::format("{} weights for {} numbers of attempts", o.attempt_weights.size(), o.attempts.size()),
                "give one weight for each entry of attempts, and at least one");
  }
  for (const int attempts : o.attempts) require_in_range("traces.attempts", attempts, 1, kMaxAttempts);
  for (const double weight : o.attempt_weights) require_in_range("traces.attempt_weights", weight, 0, 1e9);
  if (std::accumulate(o.attempt_weights.begin(), o.attempt_weights.end(), 0.0) <= 0) {
    throw Error("traces.attempt_weights", "are all 0", "make at least one of them positive");
  }
  require_in_range("traces.led_share", o.led_share, 0, 1);
}

TraceMaker::TraceMaker(TraceOptions options, uint64_t seed) : options_(std::move(options)), seed_(seed) {
  validate(options_);
  weight_sum_ = std::accumulate(options_.attempt_weights.begin(), options_.attempt_weights.end(), 0.0);
}

Trace TraceMaker::make(uint64_t index) const {
  const auto instance = make_countdown(options_.countdown, Split::kTrain, mix64(seed_ ^ kStream), index);
  Writer writer{options_, instance, RandomStream(seed_, kStream, index)};
  const int max_attempts = draw_num_attempts(options_, weight_sum_, writer.stream);

  Trace trace{.prompt = countdown_prompt(instance), .completion = options_.begin};
  while (true) {
    const auto attempt = writer.next_attempt();
    writer.write_steps(attempt, trace.completion);
    ++trace.num_attempts;
    trace.is_solved = attempt.result == instance.target;
    if (!trace.is_solved && trace.num_attempts < max_attempts) {
      trace.completion += options_.retry;
      continue;
    }
    trace.completion += trace.is_solved ? options_.success : options_.give_up;
    trace.completion += options_.begin_answer;
    trace.completion += countdown_expression(instance.numbers, attempt.moves, options_.countdown);
    trace.completion += options_.end;
    return trace;
  }
}

}  // namespace r1::tasks
