// Speed of the rollout database, one line of key=value per case: storing rollouts (full-text index, reflection events
// and all), and reading among them.
//
//   bench_database [NUM_SAMPLES [FOLDER]]        defaults: 100000, the folder for temporary files
//
// The rollouts are synthetic Countdown traces of 64 to 100 tokens in groups of 16, 512 a step, each with log-probs
// under two distributions. cpu_us is processor time of the whole process per sample: the figure to read while other
// programs keep the machine busy. A query's time is the least of three; first_ms is that of the first, before its pages
// are in memory.

#include "rollout/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/random.h"
#include "rollout/trace_query.h"

namespace {

using namespace r1;
using namespace r1::rollout;

constexpr int kGroupSize = 16;
constexpr int64_t kSamplesPerStep = 512;

double now(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

int number(RandomStream& random, int bound) { return static_cast<int>(random.below(static_cast<uint64_t>(bound))); }

// One trace: attempts until one is right or four have failed.
std::string trace(RandomStream& random, bool is_right) {
  std::string text = "<think>";
  const int attempts = 2 + number(random, 5);
  for (int i = 0; i < attempts; ++i) {
    const int a = 1 + number(random, 10), b = 1 + number(random, 10), c = 1 + number(random, 10);
    text += fmt::format("{}+{}={}, {}*{}={}", a, b, a + b, a + b, c, (a + b) * c);
    const bool is_last = i + 1 == attempts;
    text += is_last                  ? (is_right ? " yes" : "")
            : number(random, 4) == 0 ? " but let me check again. wrong, "
                                     : " no wait ";
  }
  return text +
         fmt::format("</think><answer>({}+{})*{}</answer>", number(random, 9), number(random, 9), number(random, 9));
}

Sample make_sample(RandomStream& random, const std::string& prompt_id, int index, bool is_right) {
  Sample s{.prompt_id = prompt_id, .index = index, .text = trace(random, is_right)};
  const int length = 64 + number(random, 37);
  for (int t = 0; t < length; ++t) {
    s.token_ids.push_back(number(random, 512));
    s.logprobs.push_back(-static_cast<float>(random.uniform() * random.uniform() * 4));
    s.sampling_logprobs.push_back(s.logprobs.back() + 0.001f);
    s.weights_versions.push_back(3);
  }
  s.finish = number(random, 10) == 0 ? FinishReason::kLength : FinishReason::kStop;
  return s;
}

Group make_group(int64_t number_of_group) {
  RandomStream random(1, static_cast<uint64_t>(number_of_group));
  Group g{.prompt = {.id = fmt::format("countdown-{}", number_of_group % 4096),
                     .task = number_of_group % 3 == 0 ? "arithmetic" : "countdown",
                     .token_ids = {3, 5, 2, 17},
                     .text = "3 5 2 = 17\n",
                     .answer = "17"}};
  for (int i = 0; i < kGroupSize; ++i) {
    const bool is_right = number(random, 3) == 0;
    g.samples.push_back(make_sample(random, g.prompt.id, i, is_right));
    g.scores.push_back({.value = is_right ? 1.1 : 0.1,
                        .verdict = is_right ? Verdict::kRight : Verdict::kWrong,
                        .parts = {{"accuracy", is_right ? 1.0 : 0.0}, {"format", 0.1}},
                        .detail = is_right ? "" : "is 16, not 17"});
    g.advantages.push_back(random.uniform() * 4 - 2);
  }
  return g;
}

void store(const std::filesystem::path& file, int64_t num_samples) {
  // Made beforehand, so that only the storing is timed; used again and again, which the index cannot tell from new
  // ones.
  std::vector<Group> groups;
  for (int64_t i = 0; i < 4096; ++i) groups.push_back(make_group(i));
  const double began = now(CLOCK_MONOTONIC), cpu_began = now(CLOCK_PROCESS_CPUTIME_ID);
  {
    RolloutWriter writer(file, {.run_id = "bench", .version = "bench"});
    int64_t step = 0;
    for (int64_t stored = 0; stored < num_samples; stored += kGroupSize) {
      if (stored / kSamplesPerStep != step)
        writer.add_step({.stage = "rl", .step = step++, .metrics = {{"reward", 0.5}, {"kl", 0.1}}});
      writer.add_group("rl", step, Split::kTrain, groups[static_cast<size_t>(stored / kGroupSize) % groups.size()]);
    }
    writer.flush();
  }
  const double wall = now(CLOCK_MONOTONIC) - began, cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu_began;
  const auto count = static_cast<double>(num_samples);
  fmt::print(
      "case=store samples={} wall_s={:.2f} samples_per_s={:.0f} cpu_us={:.1f} samples_per_cpu_s={:.0f} "
      "bytes_per_sample={:.0f}\n",
      num_samples, wall, count / wall, 1e6 * cpu / count, count / cpu,
      static_cast<double>(std::filesystem::file_size(file)) / count);
}

void query(std::string_view name, const std::function<size_t()>& run) {
  double first = 0, best = 1e9, cpu = 1e9;
  size_t rows = 0;
  for (int i = 0; i < 3; ++i) {
    const double began = now(CLOCK_MONOTONIC), cpu_began = now(CLOCK_PROCESS_CPUTIME_ID);
    rows = run();
    const double wall = now(CLOCK_MONOTONIC) - began;
    if (i == 0) first = wall;
    best = std::min(best, wall);
    cpu = std::min(cpu, now(CLOCK_PROCESS_CPUTIME_ID) - cpu_began);
  }
  fmt::print("case=query name={} ms={:.1f} cpu_ms={:.1f} first_ms={:.1f} rows={}\n", name, 1e3 * best, 1e3 * cpu,
             1e3 * first, rows);
}

void read(const std::filesystem::path& file, int64_t num_samples) {
  TraceReader reader(file);
  const auto last = num_samples / kSamplesPerStep - 1;
  const std::vector<std::pair<std::string_view, TraceFilter>> filters = {
      {"newest", {}},
      {"one_step", {.first_step = last / 2, .last_step = last / 2}},
      {"narrow_conditions", {.task = "arithmetic", .verdict = Verdict::kRight, .min_tokens = 99, .word = "but"}},
      {"nothing_found", {.task = "none"}},
      {"all_conditions_sorted",
       {.first_step = 0,
        .last_step = last,
        .task = "countdown",
        .split = Split::kTrain,
        .verdict = Verdict::kWrong,
        .finish = FinishReason::kStop,
        .min_value = 0.0,
        .max_value = 2.0,
        .min_tokens = 50,
        .max_tokens = 200,
        .min_turns = 0,
        .word = "wait",
        .sort = TraceSort::kAdvantage}},
      {"sorted_by_reward", {.sort = TraceSort::kValue}},
      {"sorted_by_length", {.sort = TraceSort::kTokens, .order = TraceOrder::kReversed}},
      {"word_nobody_says", {.word = "reexamine"}},
      {"one_prompt", {.prompt_id = "countdown-77"}},
      {"typed_expression", {.where = "advantage < -1.99 AND num_tokens > 99"}},
      {"text_common_word", {.search = "wait"}},
      {"text_two_words", {.search = "wrong 90"}},
      {"text_phrase", {.search = "\"no wait 3\""}},
      {"text_rare_phrase", {.search = "\"7 7 14 14 7 98\""}},
      {"text_absent", {.search = "absent"}},
      {"text_common_word_sorted", {.search = "wait", .sort = TraceSort::kValue}},
      {"text_and_conditions", {.task = "arithmetic", .verdict = Verdict::kRight, .min_tokens = 100, .search = "wait"}},
  };
  for (const auto& [name, filter] : filters) query(name, [&, f = filter] { return reader.filter(f).size(); });
  query("runs", [&] { return reader.runs().size(); });
  query("steps", [&] { return reader.steps("rl").size(); });
  query("words_by_step", [&] { return reader.word_counts("rl", Split::kTrain).size(); });
  query("curve", [&] { return reader.curve("rl", "reward").size(); });
  query("groups_of_step", [&] { return reader.groups_of_step("rl", last / 2).size(); });
  query("group", [&] { return reader.group(num_samples / kGroupSize / 2).samples.size(); });
  query("prompt_history", [&] { return reader.groups_of_prompt("countdown-77").size(); });
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t num_samples = argc > 1 ? std::atoll(argv[1]) : 100'000;
  const auto parent = argc > 2 ? std::filesystem::path(argv[2]) : std::filesystem::temp_directory_path();
  const auto folder = parent / fmt::format("r1_bench_database_{}", now(CLOCK_REALTIME));
  std::filesystem::create_directories(folder);
  try {
    store(folder / kRolloutsFile, num_samples);
    read(folder, num_samples);
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    std::filesystem::remove_all(folder);
    return 1;
  }
  std::filesystem::remove_all(folder);
  return 0;
}
