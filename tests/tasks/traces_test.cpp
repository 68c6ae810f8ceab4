#include "tasks/traces.h"

#include <map>
#include <set>

#include "core/error.h"
#include "tests/support/catch.h"

using namespace r1::tasks;

namespace {

struct Attempt {
  std::string steps;
  int result = 0;
};

// Reads "3+5=8, 8*2=16", checking each step's arithmetic.
Attempt read_attempt(const std::string& text) {
  Attempt attempt{text};
  for (size_t at = 0; at < text.size();) {
    int a = 0, b = 0, c = 0, length = 0;
    char operation = 0;
    REQUIRE(std::sscanf(text.c_str() + at, "%d%c%d=%d%n", &a, &operation, &b, &c, &length) == 4);
    const int result = operation == '+' ? a + b : operation == '-' ? a - b : operation == '*' ? a * b : a / b;
    REQUIRE(result == c);
    attempt.result = c;
    at += static_cast<size_t>(length);
    if (at < text.size()) {
      REQUIRE(text.substr(at, 2) == ", ");
      at += 2;
    }
  }
  return attempt;
}

std::vector<Attempt> read_attempts(const Trace& trace) {
  std::string body = trace.completion;
  REQUIRE(body.substr(0, 7) == "<think>");
  body = body.substr(7, body.find("</think>") - 7);
  const std::string end = trace.is_solved ? " yes" : " no";
  REQUIRE(body.substr(body.size() - end.size()) == end);
  body.resize(body.size() - end.size());
  std::vector<Attempt> attempts;
  for (size_t at = 0; at != std::string::npos;) {
    const auto next = body.find(" no wait ", at);
    attempts.push_back(read_attempt(body.substr(at, next - at)));
    at = next == std::string::npos ? next : next + 9;
  }
  return attempts;
}

int target_of(const Trace& trace) { return std::stoi(trace.prompt.substr(trace.prompt.find('=') + 1)); }

}  // namespace

TEST_CASE("a trace's steps are right, and it ends at its first solution or after its last attempt") {
  const TraceMaker maker({}, 1);
  for (uint64_t index = 0; index < 2000; ++index) {
    const auto trace = maker.make(index);
    const auto attempts = read_attempts(trace);
    REQUIRE(static_cast<int>(attempts.size()) == trace.num_attempts);
    const int target = target_of(trace);
    for (size_t i = 0; i + 1 < attempts.size(); ++i) REQUIRE(attempts[i].result != target);
    REQUIRE((attempts.back().result == target) == trace.is_solved);
    REQUIRE(trace.num_attempts <= 8);
  }
}

TEST_CASE("a trace's answer is its last attempt") {
  TraceOptions options;
  options.led_share = 1;
  const TraceMaker maker(options, 3);
  bool has_example = false;
  for (uint64_t index = 0; index < 200; ++index) {
    const auto trace = maker.make(index);
    REQUIRE(trace.is_solved);
    REQUIRE(trace.num_attempts == 1);
    int a = 0, b = 0, c = 0, d = 0, e = 0;
    const auto& text = trace.completion;
    if (std::sscanf(text.c_str(), "<think>%d+%d=%d, %*d-%d=%d yes", &a, &b, &c, &d, &e) != 5) continue;
    if (text.find(", " + std::to_string(c) + "-") == std::string::npos) continue;
    const auto answer = fmt::format("</think><answer>({}+{})-{}</answer>", a, b, d);
    REQUIRE_THAT(text, Catch::EndsWith(answer));
    has_example = true;
  }
  CHECK(has_example);
}

TEST_CASE("the number of attempts follows its distribution") {
  TraceOptions options;
  options.led_share = 0;
  options.countdown = {.num_numbers = 5, .min_target = 100, .max_target = 400};  // a random attempt rarely solves
  const TraceMaker maker(options, 5);
  std::map<int, double> share;
  constexpr int kTraces = 20000;
  for (uint64_t index = 0; index < kTraces; ++index) {
    const auto trace = maker.make(index);
    if (!trace.is_solved) share[trace.num_attempts] += 1.0 / kTraces;
  }
  CHECK(share.size() == 4);
  CHECK(share[1] == Approx(0.5).margin(0.02));
  CHECK(share[2] == Approx(0.2).margin(0.02));
  CHECK(share[4] == Approx(0.2).margin(0.02));
  CHECK(share[8] == Approx(0.1).margin(0.02));
}

TEST_CASE("the share of solved traces grows with led_share") {
  const auto solved = [](double led_share) {
    TraceOptions options;
    options.led_share = led_share;
    const TraceMaker maker(options, 9);
    int num_solved = 0;
    for (uint64_t index = 0; index < 4000; ++index) num_solved += maker.make(index).is_solved;
    return num_solved / 4000.0;
  };
  const double none = solved(0), some = solved(0.15), half = solved(0.5);
  CHECK(none < 0.25);
  CHECK(some > none + 0.1);
  CHECK(half > some + 0.15);
  CHECK(solved(1) == 1);
}

TEST_CASE("no attempt is made twice within a trace, if asked") {
  TraceOptions options;
  options.attempts = {16};
  options.attempt_weights = {1};
  options.led_share = 0.05;
  int num_repeats = 0;
  for (const auto repeats : {Repeats::kNever, Repeats::kAllowed}) {
    options.repeats = repeats;
    const TraceMaker maker(options, 2);
    for (uint64_t index = 0; index < 500; ++index) {
      std::set<std::string> seen;
      for (const auto& attempt : read_attempts(maker.make(index))) {
        const bool is_new = seen.insert(attempt.steps).second;
        if (repeats == Repeats::kNever) REQUIRE(is_new);
        num_repeats += !is_new;
      }
    }
  }
  CHECK(num_repeats > 500);
}

TEST_CASE("a trace without repeats ends even where all ways are few") {
  TraceOptions options;
  options.countdown = {.num_numbers = 2, .max_number = 3, .max_target = 9, .operations = "+*"};
  options.attempts = {1000};
  options.attempt_weights = {1};
  options.led_share = 0;
  options.repeats = Repeats::kNever;
  const TraceMaker maker(options, 2);
  for (uint64_t index = 0; index < 200; ++index) REQUIRE(maker.make(index).is_solved);
}

TEST_CASE("operands come in the pool's order or in either") {
  TraceOptions options;
  options.countdown.operations = "+";
  options.countdown.num_numbers = 2;
  const auto num_turned = [&](OperandOrder order) {
    options.operand_order = order;
    const TraceMaker maker(options, 4);
    int num_turned = 0;
    for (uint64_t index = 0; index < 300; ++index) {
      const auto trace = maker.make(index);
      int a = 0, b = 0, c = 0, d = 0;
      REQUIRE(std::sscanf(trace.prompt.c_str(), "%d %d", &a, &b) == 2);
      REQUIRE(std::sscanf(trace.completion.c_str(), "<think>%d+%d", &c, &d) == 2);
      num_turned += a != c;
    }
    return num_turned;
  };
  CHECK(num_turned(OperandOrder::kPool) == 0);
  CHECK(num_turned(OperandOrder::kRandom) > 80);
}

TEST_CASE("traces hold no held-out question, for any seed") {
  TraceOptions options;
  for (const uint64_t seed : {1, 2, 3}) {
    const TraceMaker maker(options, seed);
    for (uint64_t index = 0; index < 3000; ++index) {
      int a = 0, b = 0, c = 0, target = 0;
      REQUIRE(std::sscanf(maker.make(index).prompt.c_str(), "%d %d %d = %d", &a, &b, &c, &target) == 4);
      REQUIRE(belongs(instance_hash(std::vector{a, b, c}, target), Split::kTrain, 10));
    }
  }
}

TEST_CASE("a trace is a pure function of seed and index") {
  const TraceMaker a({}, 1), b({}, 1), c({}, 2);
  int num_same = 0;
  for (uint64_t index = 0; index < 100; ++index) {
    REQUIRE(a.make(index).completion == b.make(index).completion);
    num_same += a.make(index).completion == c.make(index).completion;
  }
  CHECK(num_same < 5);
}

TEST_CASE("the words of a trace are options") {
  TraceOptions options;
  options.attempts = {2};
  options.attempt_weights = {1};
  options.led_share = 0;
  options.retry = " | ";
  options.give_up = " ?";
  const TraceMaker maker(options, 8);
  int num_given_up = 0;
  for (uint64_t index = 0; index < 50; ++index) {
    const auto trace = maker.make(index);
    if (trace.is_solved) continue;
    ++num_given_up;
    REQUIRE_THAT(trace.completion, Catch::Contains(" | ") && Catch::Contains(" ?</think>"));
  }
  CHECK(num_given_up > 20);
}

TEST_CASE("trace options that cannot work are refused by name") {
  TraceOptions options;
  SECTION("weights that do not fit the attempts") {
    options.attempt_weights = {1};
    CHECK_THROWS_WITH(TraceMaker(options, 1), Catch::Contains("1 weights for 4"));
  }
  SECTION("no attempts") {
    options.attempts = {0};
    options.attempt_weights = {1};
    CHECK_THROWS_WITH(TraceMaker(options, 1), Catch::Contains("traces.attempts"));
  }
  SECTION("weights that are all zero") {
    options.attempt_weights = {0, 0, 0, 0};
    CHECK_THROWS_WITH(TraceMaker(options, 1), Catch::Contains("all 0"));
  }
  SECTION("a share above 1") {
    options.led_share = 1.5;
    CHECK_THROWS_WITH(TraceMaker(options, 1), Catch::Contains("traces.led_share"));
  }
}
