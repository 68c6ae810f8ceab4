// r1 bench: speed of what users wait for, one key=value line a case, in the form of the peers' scripts.

#include <sys/resource.h>
#include <torch/torch.h>

#include <chrono>
#include <cstdio>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/error.h"
#include "core/random.h"
#include "nn/causal_lm.h"
#include "rl/policy_update.h"
#include "rl/rollout_phase.h"
#include "rollout/engine.h"
#include "train/optimizer.h"

namespace r1::cli {
namespace {

struct BenchOptions {
  std::string kind, model, weights = "auto";
  std::vector<int> batches{1, 16, 64};
  int prompt = 32, new_tokens = 64, length = 256, steps = 3, prompts = 4, group = 8, num_threads = 0;
  bool is_ragged = false;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::vector<int32_t> random_ids(int64_t count, uint64_t stream, int64_t vocab) {
  RandomStream random(7, stream);
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>(random.below(std::min<int64_t>(vocab, 10000))));
  return ids;
}

std::vector<Prompt> random_prompts(int count, int length, int64_t vocab) {
  std::vector<Prompt> prompts;
  for (int i = 0; i < count; ++i) {
    prompts.push_back({.id = fmt::format("bench-{}", i), .task = "text", .token_ids = random_ids(length, i, vocab)});
  }
  return prompts;
}

// Sampling at temperature 1 of `new_tokens` tokens for each of `batch` prompts; the time of the first token is taken off.
void bench_decode(const BenchOptions& o, const OpenModel& model) {
  model::Decoder decoder(model.loaded.config, *model.loaded.weights, weight_format(o.weights, model.loaded), compute_pool());
  rollout::Engine engine(decoder, model.tokenizer, model.eos_ids, {.max_batch_tokens = 2048});
  for (const auto batch : o.batches) {
    const auto prompts = random_prompts(batch, o.prompt, model.loaded.config.vocab_size);
    const auto run = [&](int tokens) {
      engine.weights_changed({});  // forget prefixes
      const double start = now();
      engine.generate(prompts, {.max_new_tokens = tokens, .eos = SamplingParams::Eos::kIgnore}, {});
      return now() - start;
    };
    run(2);
    double best = 0;
    for (int i = 0; i < o.steps; ++i) best = std::max(best, batch * (o.new_tokens - 1) / std::max(1e-9, run(o.new_tokens) - run(1)));
    fmt::print("r1 decode weights={} batch={} tokens/s={:.1f}\n", o.weights, batch, best);
    std::fflush(stdout);
  }
}

// A group of `batch` samples against one sample of the same prompt: prefix sharing makes them cost the same.
void bench_prefill(const BenchOptions& o, const OpenModel& model) {
  model::Decoder decoder(model.loaded.config, *model.loaded.weights, weight_format(o.weights, model.loaded), compute_pool());
  rollout::Engine engine(decoder, model.tokenizer, model.eos_ids, {.max_batch_tokens = 2048});
  for (const auto batch : o.batches) {
    const auto prompts = random_prompts(1, o.prompt, model.loaded.config.vocab_size);
    double best = 1e9;
    for (int i = 0; i <= o.steps; ++i) {
      engine.weights_changed({});
      const double start = now();
      engine.generate(prompts, {.num_samples = batch, .max_new_tokens = 1, .eos = SamplingParams::Eos::kIgnore}, {});
      best = std::min(best, now() - start);
    }
    fmt::print("r1 prefill weights={} group={} prompt={} ms={:.2f} tokens/s={:.1f}\n", o.weights, batch, o.prompt, best * 1e3,
               o.prompt / best);
    std::fflush(stdout);
  }
}

std::vector<std::vector<int32_t>> training_rows(const BenchOptions& o, int64_t vocab) {
  std::vector<std::vector<int32_t>> rows;
  RandomStream random(11, 0);
  for (int i = 0; i < o.batches.front(); ++i) {  // ragged: lengths spread evenly from an eighth to the whole
    const auto length = o.is_ragged ? o.length / 8 + static_cast<int>(random.below(o.length - o.length / 8 + 1)) : o.length;
    rows.push_back(random_ids(length, 1000 + i, vocab));
  }
  return rows;
}

// Forward, backward and AdamW on `batch` rows of `length` tokens.
void bench_train(const BenchOptions& o, const OpenModel& model, nn::Precision precision) {
  nn::CausalLm lm(model.loaded.config, *model.loaded.weights, {.precision = precision});
  train::AdamW optimizer(lm.parameters(), {});
  const auto rows = training_rows(o, model.loaded.config.vocab_size);
  const std::vector<std::span<const int32_t>> sequences(rows.begin(), rows.end());
  std::vector<int64_t> predictors;
  std::vector<int32_t> targets;
  int64_t begin = 0, tokens = 0;
  for (const auto& row : rows) {
    for (size_t t = 0; t + 1 < row.size(); ++t) predictors.push_back(begin + static_cast<int64_t>(t)), targets.push_back(row[t + 1]);
    begin += std::ssize(row);
    tokens += std::ssize(row);
  }
  const auto step = [&] {
    const auto hidden = lm.forward(nn::pack(sequences)).index_select(0, torch::tensor(predictors, at::kLong));
    (-lm.log_probs(hidden, torch::tensor(targets, at::kInt), {}).log_probs.mean()).backward();
    optimizer.step(1e-6);
    lm.weights_changed();
  };
  step();
  double best = 1e9;
  for (int i = 0; i < o.steps; ++i) {
    const double start = now();
    step();
    best = std::min(best, now() - start);
  }
  fmt::print("r1 train dtype={} lengths={} tokens/s={:.1f} peak_rss_mb={:.0f}\n", precision == nn::Precision::kF32 ? "fp32" : "bf16",
             o.is_ragged ? "ragged" : "equal", static_cast<double>(tokens) / best, peak_rss_mb());
  std::fflush(stdout);
}

// Pays for even token ids: some groups have a signal, as with a real reward.
class ParityReward : public rewards::Reward {
 public:
  Score score(const Prompt&, std::string_view completion, FinishReason) const override {
    return {.value = completion.size() % 2 == 0 ? 1.0 : 0.0, .verdict = Verdict::kRight};
  }
};

// Whole steps as in rl/loop.cpp: sampling, rewards, update, new weights.
void bench_grpo(const BenchOptions& o, const OpenModel& model) {
  nn::CausalLm policy(model.loaded.config, *model.loaded.weights, {});
  model::Decoder decoder(model.loaded.config, policy.parameters().source(), model::WeightFormat::kF32, compute_pool());
  rollout::Engine engine(decoder, model.tokenizer, model.eos_ids, {});
  train::AdamW optimizer(policy.parameters(), {});
  rl::RlConfig config{.steps = o.steps, .prompts_per_step = o.prompts, .micro_batch_tokens = 1024};
  const ParityReward reward;
  for (int i = 0; i < o.steps; ++i) {
    const double start = now();
    auto prompts = random_prompts(o.prompts, o.prompt, model.loaded.config.vocab_size);
    rl::PhaseResult timing;
    const SamplingParams params{.num_samples = o.group, .max_new_tokens = o.new_tokens, .seed = static_cast<uint64_t>(i),
                                .eos = SamplingParams::Eos::kIgnore};
    const auto groups = rl::generate_scored(engine, reward, std::move(prompts), params, {}, timing);
    std::vector<rl::Experience> experiences;
    for (const auto& group : groups) {
      for (size_t s = 0; s < group.samples.size(); ++s) {
        experiences.push_back({.prompt = &group.prompt, .sample = &group.samples[s], .advantage = s % 2 == 0 ? 1.0 : -1.0});
      }
    }
    const double sampled = now();
    const auto metrics = rl::update_policy(experiences, config, i, i, policy, optimizer);
    const double updated = now();
    decoder.reload(policy.parameters().source());
    engine.weights_changed({.number = static_cast<uint64_t>(i) + 1});
    fmt::print("r1 grpo step={} s={:.2f} sample_s={:.2f} update_s={:.2f} handover_s={:.2f} gap_max={:.1e} peak_rss_mb={:.0f}\n", i + 1,
               now() - start, sampled - start, updated - sampled, now() - updated, metrics.at("rollout_gap_max"), peak_rss_mb());
    std::fflush(stdout);
  }
}

}  // namespace

int run_bench(int argc, const char* const* argv) {
  BenchOptions o;
  CLI::App app("Speed, one key=value line a case.", "r1 bench");
  app.add_option("kind", o.kind, "decode, prefill, train or grpo")->required()->check(CLI::IsMember({"decode", "prefill", "train", "grpo"}));
  app.add_option("model", o.model, "Hugging Face folder or .gguf file")->required();
  app.add_option("--weights", o.weights, "auto, f32, bf16, native (decode and prefill)");
  app.add_option("--batch", o.batches, "decode, prefill: sequences at once; train: rows (the first)");
  app.add_option("--prompt", o.prompt, "prompt tokens");
  app.add_option("--new", o.new_tokens, "new tokens");
  app.add_option("--len", o.length, "train: tokens of a row");
  app.add_option("--steps", o.steps, "repetitions; the best counts");
  app.add_option("--prompts", o.prompts, "grpo: prompts a step");
  app.add_option("--group", o.group, "grpo: samples a prompt");
  app.add_flag("--ragged", o.is_ragged, "train: rows of --len / 8 to --len tokens");
  add_threads(app, o.num_threads);
  if (const auto status = parse(app, argc, argv)) return *status;
  apply_threads(o.num_threads);

  const auto model = open(o.model);
  if (o.kind == "decode") bench_decode(o, model);
  if (o.kind == "prefill") bench_prefill(o, model);
  if (o.kind == "grpo") bench_grpo(o, model);
  if (o.kind == "train") {
    bench_train(o, model, nn::Precision::kF32);
    bench_train(o, model, nn::Precision::kBF16);
  }
  return 0;
}

}  // namespace r1::cli
