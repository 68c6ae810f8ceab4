// Maths verdicts per second on one core: build/release/bench_math PAIRS.jsonl [SECONDS]
// Time is processor time, so that a busy machine does not count. Rows are {"gold": KEY, "answer": COMPLETION}; shared
// peers' scripts time others on the same file.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "rewards/math/judge.h"

namespace {

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main(int argc, char** argv) {
  using namespace r1::rewards::math;
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_math PAIRS.jsonl [SECONDS]\n");
    return 2;
  }
  const double limit = argc > 2 ? std::atof(argv[2]) : 3;
  std::vector<std::pair<std::string, std::string>> pairs;
  std::ifstream file(argv[1]);
  for (std::string line; std::getline(file, line);) {
    const auto row = boost::json::parse(line).as_object();
    pairs.emplace_back(row.at("gold").as_string(), row.at("answer").as_string());
  }
  if (pairs.empty()) {
    fmt::print(stderr, "{}: no pairs\n", argv[1]);
    return 1;
  }
  size_t num_verdicts = 0, num_equal = 0;
  double worst = 0;
  const auto start = cpu_seconds();
  do {
    for (const auto& [gold, answer] : pairs) {
      const auto before = cpu_seconds();
      num_equal += judge_math(answer, gold).verdict == MathVerdict::kEqual;
      worst = std::max(worst, cpu_seconds() - before);
    }
    num_verdicts += pairs.size();
  } while ((cpu_seconds() - start) < limit);
  fmt::print("pairs={} verdicts/s={:.0f} equal={:.3f} worst_ms={:.2f} balls={}\n", pairs.size(),
             static_cast<double>(num_verdicts) / (cpu_seconds() - start),
             static_cast<double>(num_equal) / static_cast<double>(num_verdicts), worst * 1e3,
             missing_abilities().empty() ? "yes" : "no");
}
