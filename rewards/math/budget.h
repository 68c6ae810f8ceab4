#pragma once
// What one verdict may cost. Everything in this folder that can grow with its input charges a Budget, so that the worst
// completion ends as fast as a hard one; there are no timers, signals or processes.

#include <cstdint>
#include <string>

namespace r1::rewards::math {

// Thrown inside this folder only, and caught by judge_math(): the work was stopped before it was done.
struct Overrun {
  std::string why;
};

// Thrown inside this folder only: an expression has no value (division by zero, a matrix sum of unlike shapes, ...).
struct Undefined {
  std::string why;
};

constexpr size_t kMaxAnswerBytes = 16 * 1024;  // of one answer's text
constexpr int kMaxDepth = 64;                  // of nested brackets and functions
constexpr int kMaxBits = 1 << 15;              // of a numerator or denominator
constexpr int64_t kMaxOps = 150'000;           // about 0.2 us each

class Budget {
 public:
  explicit Budget(int64_t ops = kMaxOps) : ops_left_(ops) {}

  void charge(int64_t ops) {
    ops_left_ -= ops;
    if (ops_left_ < 0) throw Overrun{"the comparison needs more steps than it is given"};
  }
  int64_t ops_left() const { return ops_left_; }

 private:
  int64_t ops_left_;
};

}  // namespace r1::rewards::math
