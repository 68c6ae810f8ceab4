#pragma once
// Countdown: reach a target with each of the given numbers exactly once. Every question is made from an expression that
// solves it. Everything here is a pure function of (options, seed, index).

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "tasks/question.h"

namespace r1::tasks {

// The defaults are the quickstart's Countdown-3 (docs/architecture.md section 8).
struct CountdownOptions {
  int num_numbers = 3;  // 2 to 6
  int max_number = 10;  // numbers are drawn from 1 to this
  int min_target = 1;
  int max_target = 150;
  int max_intermediate = 400;      // no step of the expression leaves 0 to this
  std::string operations = "+-*";  // of + - * /; a quotient is always exact
  int held_out_modulus = 10;       // one instance in so many is held out; 0 holds none out
};

// Throws Error naming the first option that cannot work.
void validate(const CountdownOptions& options);

// One step towards the target, on a pool of numbers: takes those at `left` and `right` out, puts the result in front.
struct CountdownMove {
  uint8_t left = 0;
  uint8_t right = 0;
  char operation = '+';
};

// A number in the pool, and how it was made.
struct CountdownTerm {
  int value = 0;
  std::string text;  // "5", "(3*5)": fit to be an operand
};

struct CountdownInstance {
  std::vector<int> numbers;  // in the order in which the question gives them
  int target = 0;
  std::vector<CountdownMove> witness;  // one solution
};

// Result of a step, if it is whole and within 0 to options.max_intermediate.
std::optional<int> apply_operation(int left, int right, char operation, const CountdownOptions& options);

// A random legal step; for - and / the larger number stands left. Nothing if a few draws found none.
std::optional<CountdownMove> draw_move(std::span<const int> pool, const CountdownOptions& options,
                                       RandomStream& stream);

// Replaces the operands of `move` by `result`, which goes in front.
template <typename T>
void play_move(std::vector<T>& pool, const CountdownMove& move, T result) {
  const auto [first, second] = std::minmax(move.left, move.right);
  pool.erase(pool.begin() + second);
  pool.erase(pool.begin() + first);
  pool.insert(pool.begin(), std::move(result));
}

// "(3*5)+2": the moves as one expression over `numbers`. The moves must be legal.
std::string countdown_expression(std::span<const int> numbers, std::span<const CountdownMove> moves,
                                 const CountdownOptions& options);

// The same for an instance whatever the order of its numbers.
uint64_t instance_hash(std::span<const int> numbers, int target);

// Instance number `index` of the endless sequence that `seed` names, of this split only.
CountdownInstance make_countdown(const CountdownOptions& options, Split split, uint64_t seed, uint64_t index);

// "3 5 2 = 17\n"
std::string countdown_prompt(const CountdownInstance& instance);

// Every way to use all of `numbers` by legal steps, larger numbers left of - and /; order within + and * not counted
// twice. Calls visit(moves, final value). The count grows as 27, 486, 14,580, 656,100 for 3 to 6 numbers.
void for_each_attempt(std::span<const int> numbers, const CountdownOptions& options,
                      const std::function<void(std::span<const CountdownMove>, int)>& visit);

// Expressions that reach the target by legal steps, without repeats, in order of discovery.
std::vector<std::string> solve_countdown(std::span<const int> numbers, int target, const CountdownOptions& options);

// The questions as a set of `size` (or kEndless). Ids tell seed, split and index.
QuestionSet countdown_set(const CountdownOptions& options, Split split, uint64_t seed, uint64_t size);

}  // namespace r1::tasks
