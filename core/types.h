#pragma once
// The plain structs that every folder speaks (docs/architecture.md section 3). Text becomes token ids once; ids,
// log-probs and scores of one sample travel together from the sampler to the update and into the database.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace r1 {

// What is asked, and what would prove an answer right.
struct Prompt {
  std::string id;                  // unique within its data set
  std::string task;                // names the reward: "countdown", "arithmetic", "number", ...
  std::vector<int32_t> token_ids;  // what the model is given, special tokens included
  std::string text;                // the same as text
  std::string answer;              // answer key, in the task's own notation
  std::string metadata_json = "{}";
  std::string source;  // the data set it comes from, by name; empty: unknown
};

// How completions are drawn. validate(SamplingParams) is in rollout/sampler.h.
struct SamplingParams {
  int num_samples = 1;       // completions per prompt (GRPO's group size G)
  double temperature = 1.0;  // 0 is greedy
  double top_p = 1.0;        // nucleus: least set of tokens whose probability reaches top_p
  int top_k = 0;             // 0 keeps every token
  double min_p = 0.0;        // drops tokens below min_p times the largest probability
  int max_new_tokens = 256;
  std::vector<std::string> stop;  // a completion ends where one of these first appears
  enum class StopText { kExclude, kInclude };
  StopText stop_text = StopText::kExclude;  // whether the text keeps the stop string; the ids always do
  std::vector<int32_t> stop_ids;  // a completion ends with one of these; the ids include it, the text does not
  uint64_t seed = 0;
  enum class Eos { kStop, kIgnore };
  Eos eos = Eos::kStop;  // kStop: the model's end-of-sequence ids count as stop_ids; benchmarks ignore them
};

enum class FinishReason { kStop, kLength, kCancelled };
constexpr std::string_view to_string(FinishReason r) {
  return r == FinishReason::kStop ? "stop" : r == FinishReason::kLength ? "length" : "cancelled";
}

// Which weights made a token: the number counts optimizer steps, the hash is over the weights' bytes.
struct WeightsVersion {
  uint64_t number = 0;
  uint64_t hash = 0;
  bool operator==(const WeightsVersion&) const = default;
};

// One completion. All per-token vectors have token_ids.size() elements; log-probs are natural logs.
struct Sample {
  std::string prompt_id;
  int index = 0;                           // in its group, 0 .. num_samples - 1
  std::vector<int32_t> token_ids;          // completion only
  std::vector<float> logprobs;             // full policy: log softmax(logits / temperature); temperature 0 counts as 1
  std::vector<float> sampling_logprobs;    // the distribution drawn from: after top-k, top-p, min-p, renormalised
  std::vector<uint32_t> weights_versions;  // WeightsVersion::number per token
  FinishReason finish = FinishReason::kStop;
  std::string text;  // token_ids decoded, without stop string and special tokens
};

// kUndecided: the reward could not tell (an unreadable answer key, a budget spent); never enters the gradient.
enum class Verdict { kRight, kWrong, kUndecided };
constexpr std::string_view to_string(Verdict v) {
  return v == Verdict::kRight ? "right" : v == Verdict::kWrong ? "wrong" : "undecided";
}

// What a reward says of one sample.
struct Score {
  double value = 0;                                   // what enters the advantage
  Verdict verdict = Verdict::kWrong;                  // of the answer alone, format aside
  std::vector<std::pair<std::string, double>> parts;  // weighted parts that add up to value, by name
  std::string detail;                                 // why, for a person
  std::string answer;                                 // the answer found, normalised for majority votes; empty: none
};

// Something about the rewards of a step that a person should look at; rewards/alarms.h says when it is raised.
struct Alarm {
  std::string kind;     // "no_signal", "dominance", "length_drift", "jump", "undecided", "identical"
  std::string subject;  // a part of the reward or a metric; empty: the whole step
  double value = 0, limit = 0;
  std::string message;  // for a person
};

// The samples of one prompt. samples, scores and advantages run in parallel.
struct Group {
  Prompt prompt;
  std::vector<Sample> samples;
  std::vector<Score> scores;
  std::vector<double> advantages;
};

}  // namespace r1
