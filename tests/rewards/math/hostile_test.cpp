#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "rewards/math/judge.h"
#include "tests/rewards/cpu_time.h"
#include "tests/support/catch.h"

using namespace r1::rewards::math;

namespace {

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

std::string nested(const std::string& before, const std::string& inner, const std::string& after, int depth) {
  return repeated(before, depth) + inner + repeated(after, depth);
}

// What a model might write to stall its grader, by hand.
std::vector<std::string> by_hand() {
  std::vector<std::string> list{
      "9^{9^{9^9}}",
      "10000000!",
      "(10000000!)!",
      "2^{2^{2^{2^{2^2}}}}",
      "\\sqrt[100000]{2}",
      "\\sqrt[9999999999]{7}",
      "0^0",
      "0^{-1}",
      "\\frac{1}{0}",
      "\\binom{1000000}{500000}",
      "\\sum_{k=1}^{1000000000} \\frac{1}{k}",
      "\\prod_{k=1}^{100000} k",
      "1e999999",
      "1e-999999",
      "\\sum_{k=1}^{999} \\sum_{j=1}^{999} kj",
      "\\sum_{k=1}^{900} \\sqrt{k}",
      "\\sum_{k=1}^{900}\\sin k",
      "(x+y+z+w)^{400}",
      "(x+y+z+w+u+v)^{12}",
      "(\\sqrt2+\\sqrt3+\\sqrt5+\\sqrt7+\\sqrt{11}+\\sqrt{13})^{300}",
      "\\sqrt{2+\\sqrt{2+\\sqrt{2+\\sqrt{2+\\sqrt{2+\\sqrt{2}}}}}}",
      "\\sqrt{2}+\\sqrt{3}+\\sqrt{5}+\\sqrt{7}+\\sqrt{11}+\\sqrt{13}+\\sqrt{17}+\\sqrt{19}-30",
      "\\sin(10^{300})",
      "e^{e^{e^{e^{e}}}}",
      "\\ln\\ln\\ln\\ln 10",
      "\\Gamma(10^{100})",
      "\\int_0^1 \\frac{x^{100}}{\\sqrt{1+x^{99}}} e^{-x^2}\\sin(x)\\,dx",
      "\\lim_{x\\to\\infty}(1+\\frac1x)^{x^x}",
      "\\det\\begin{pmatrix}1\\end{pmatrix}",
      "\\frac{(x+1)^{50}(x+2)^{50}(x+3)^{50}}{(x+4)^{50}(x+5)^{50}}",
      "x^{1000000000}",
      "x^{x^{x^{x^x}}}",
      "\\sin\\sin\\sin\\sin\\sin x",
      "\\cos^{200} x",
      "\\sin(100000x)",
      std::string("5\0006", 3),
      "\xff\xfe\xfd",
      "\xc3\x28",
      "\\",
      "{",
      "}",
      "\\left",
      "\\begin{",
      "\\begin{pmatrix}",
      "\\text{",
      "$",
      "$$",
      "\\frac",
      "^",
      "_",
      "!",
      "%",
      "|",
      "||",
      "|||||||",
      "\\gcd(10^{300},10^{200})",
      "\\lfloor 10^{1000}\\pi\\rfloor",
      "999999999999999999999999999999999999!",
      "\\log_{1}{5}",
      "\\log_0 0",
      "\\arcsin 5",
      "\\infty-\\infty",
      "\\infty^\\infty",
  };
  list.push_back(std::string(1'000'000, '7'));
  list.push_back("0." + std::string(1'000'000, '3'));
  list.push_back(std::string(9'000, '7'));
  list.push_back("\\boxed{" + std::string(16'000, '9') + "}");
  list.push_back(repeated("1,", 8'000));
  list.push_back(repeated("x+", 5'000) + "x");
  list.push_back(repeated("x_{1}y", 1'500));
  for (const int depth : {50, 63, 400, 4'000}) {
    list.push_back(nested("\\frac{1}{1+", "x", "}", depth));
    list.push_back(nested("\\sqrt{1+", "2", "}", depth));
    list.push_back(nested("(", "1", ")", depth));
    list.push_back(nested("{", "1", "}", depth));
    list.push_back(nested("\\boxed{", "1", "}", depth));
    list.push_back(nested("|", "1", "|", depth));
    list.push_back(nested("2^{", "2", "}", depth));
    list.push_back(nested("\\sin(", "x", ")", depth));
    list.push_back(nested("\\text{", "x", "}", depth));
    list.push_back(repeated("-", depth) + "1");
    list.push_back("5" + repeated("!", depth));
    list.push_back(repeated("(", depth));
  }
  list.push_back(repeated("\\boxed{1} and ", 20'000));
  list.push_back(repeated("\\boxed{", 100'000));
  list.push_back(repeated("$1$ ", 100'000));
  list.push_back(repeated("the answer is ", 50'000));
  list.push_back(repeated("<answer>", 50'000) + "1" + repeated("</answer>", 50'000));
  list.push_back(repeated("\\(", 200'000));
  return list;
}

// And random pieces of mathematics thrown together.
std::string thrown_together(std::mt19937& random) {
  const std::vector<std::string> pieces{"\\frac{",
                                        "}{",
                                        "}",
                                        "\\sqrt{",
                                        "^{",
                                        "_{",
                                        "(",
                                        ")",
                                        "[",
                                        "]",
                                        "|",
                                        "+",
                                        "-",
                                        "*",
                                        "/",
                                        "!",
                                        "%",
                                        "\\pm",
                                        "x",
                                        "y",
                                        "n",
                                        "\\pi",
                                        "e",
                                        "i",
                                        "7",
                                        "123",
                                        "0.5",
                                        "10",
                                        "99999",
                                        "\\sin",
                                        "\\ln",
                                        "\\sum_{k=1}^{n}",
                                        "\\int_0^1",
                                        "dx",
                                        ",",
                                        "=",
                                        "<",
                                        "\\le",
                                        "\\in",
                                        "\\cup",
                                        "\\{",
                                        "\\}",
                                        "\\infty",
                                        "\\text{cm}",
                                        "\\begin{pmatrix}",
                                        "\\end{pmatrix}",
                                        "&",
                                        "\\\\",
                                        "\\binom{",
                                        "^2",
                                        "^{-1}",
                                        "\\lim_{x\\to0}",
                                        "\\mathbb{Z}",
                                        ":"};
  std::string text;
  const auto length = 3 + random() % 60;
  for (size_t i = 0; i < length; ++i) text += pieces[random() % pieces.size()];
  return text;
}

std::vector<std::string> hostile_inputs() {
  auto list = by_hand();
  std::mt19937 random(7);
  while (list.size() < 500) list.push_back(thrown_together(random));
  return list;
}

int64_t peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

TEST_CASE("500 hostile completions end within 200 ms and 64 MiB each, and none is equal to the key") {
  const auto inputs = hostile_inputs();
  REQUIRE(inputs.size() >= 500);
  const auto before = peak_kib();
  double worst = 0;
  std::string worst_input;
  for (const auto& input : inputs) {
    for (const std::string key : {"123456789", "x^2+\\sqrt{3}y"}) {
      const auto start = cpu_seconds();
      const auto verdict = judge_math(input, key).verdict;
      const auto spent = cpu_seconds() - start;
      if (spent > worst) {
        worst = spent;
        worst_input = input.substr(0, 100);
      }
      CHECK(verdict != MathVerdict::kEqual);
    }
  }
  INFO("worst: " << worst * 1e3 << " ms for " << worst_input);
  CHECK(worst < 0.2 * kSlowdown);
  if (kSlowdown == 1) CHECK(peak_kib() - before < 64 * 1024);
}

TEST_CASE("hostile keys are undecided or honest, never a crash, and within the same time") {
  double worst = 0;
  std::string worst_input;
  for (const auto& input : hostile_inputs()) {
    const auto start = cpu_seconds();
    judge_answer(input, input);
    judge_answer("17", input);
    const auto spent = (cpu_seconds() - start) / 2;
    if (spent > worst) {
      worst = spent;
      worst_input = input.substr(0, 100);
    }
  }
  INFO("worst: " << worst * 1e3 << " ms for " << worst_input);
  CHECK(worst < 0.2 * kSlowdown);
}

TEST_CASE("eight threads judge at once and all come to the same verdicts") {
  const std::vector<std::pair<std::string, std::string>> pairs{{"\\sqrt{5+2\\sqrt6}", "\\sqrt2+\\sqrt3"},
                                                               {"\\cos 36^\\circ", "\\frac{1+\\sqrt5}{4}"},
                                                               {"e^{\\pi\\sqrt{163}}", "262537412640768744"},
                                                               {"\\sum_{k=1}^n k", "n(n+1)/2"},
                                                               {"x>3", "(3,\\infty)"},
                                                               {"\\ln 2+\\ln 3", "\\ln 6"}};
  std::vector<MathVerdict> expected;
  for (const auto& [gold, answer] : pairs) expected.push_back(judge_math(answer, gold).verdict);
  std::atomic<int> num_wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (int round = 0; round < 20; ++round) {
          for (size_t i = 0; i < pairs.size(); ++i) {
            if (judge_math(pairs[i].second, pairs[i].first).verdict != expected[i]) ++num_wrong;
          }
        }
      });
    }
  }
  CHECK(num_wrong == 0);
}
