#include "rl/loop.h"

#include <torch/torch.h>

#include <chrono>

#include "core/cancel.h"
#include "core/log.h"
#include "core/progress.h"
#include "rl/policy_update.h"

namespace r1::rl {
namespace {

constexpr std::string_view kStage = "rl";
constexpr uint64_t kEvalSeed = 0x6576616c;  // "eval": the same draws at every evaluation

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

RlLoop::RlLoop(const RlConfig& config, const LoopParts& parts)
    : config_(config), parts_(parts), optimizer_(parts.policy.parameters(), config.optimizer), alarms_(parts.alarms) {
  if (config.loss.kl_coef == 0) return;
  auto options = parts.policy.options();  // of the policy in all that decides bits: the KL of equal weights is 0
  options.gradients = nn::Gradients::kNone;
  reference_ = std::make_unique<nn::CausalLm>(parts.policy.config(), parts.policy.parameters().source(), options);
}

LoopEnd RlLoop::run() {
  resume();
  hand_weights_over();
  Progress progress("rl", config_.steps, "steps", step_);
  while (step_ < config_.steps) {
    const bool is_due = step_ == 0 ? config_.eval.at_start : config_.eval.every > 0 && step_ % config_.eval.every == 0;
    if (is_due && !evaluate_policy()) break;
    if (stop_requested() || !step()) break;
    progress.update(step_);
    if (step_ % config_.checkpoint_every == 0 || step_ == config_.steps) save();
  }
  progress.finish();
  if (step_ < config_.steps) {
    save();
    log::info("stopped after step {} of {}; the same command goes on from here", step_, config_.steps);
    return LoopEnd::kStopped;
  }
  evaluate_policy();
  return LoopEnd::kFinished;
}

bool RlLoop::step() {
  const auto start = std::chrono::steady_clock::now();
  const auto cursor = parts_.prompts.cursor();
  auto phase = RolloutPhase(parts_.engine, parts_.prompts, parts_.reward, config_).run(step_);
  if (phase.was_stopped) {
    parts_.prompts.restore(cursor);  // the checkpoint must draw these prompts again
    return false;
  }
  auto experiences = learn_from(phase);
  const auto update_start = std::chrono::steady_clock::now();
  auto metrics =
      update_policy(std::move(experiences), config_, step_, optimizer_.num_steps(), parts_.policy, optimizer_);
  metrics["seconds/update"] = seconds_since(update_start);
  if (config_.reference_refresh_steps > 0 && (step_ + 1) % config_.reference_refresh_steps == 0) refresh_reference();
  const auto handover_start = std::chrono::steady_clock::now();
  hand_weights_over();
  metrics["seconds/handover"] = seconds_since(handover_start);
  record(phase, std::move(metrics), seconds_since(start));
  ++step_;
  return true;
}

// Advantages of the phase's groups, and every completion that may carry a gradient.
std::vector<Experience> RlLoop::learn_from(PhaseResult& phase) {
  std::vector<Experience> experiences;
  std::vector<Rewards> rewards;
  for (const auto& group : phase.groups) {
    auto& row = rewards.emplace_back();
    for (size_t i = 0; i < group.samples.size(); ++i) {
      row.push_back(effective_reward(group.samples[i], group.scores[i], config_));
      if (row.back()) experiences.push_back({.prompt = &group.prompt, .sample = &group.samples[i]});
    }
  }
  fill_log_probs(experiences, config_, parts_.policy, reference_.get());
  if (reference_ && config_.loss.kl_place == KlPlace::kReward) subtract_kl(experiences, config_, rewards);
  const auto all = advantages(rewards, config_.advantage);
  size_t next = 0;
  for (size_t g = 0; g < phase.groups.size(); ++g) {
    phase.groups[g].advantages = all[g];
    for (size_t i = 0; i < all[g].size(); ++i) {
      if (rewards[g][i]) experiences[next++].advantage = all[g][i];
    }
  }
  return experiences;
}

bool RlLoop::evaluate_policy() {
  if (parts_.eval_prompts.empty()) return true;
  const auto start = std::chrono::steady_clock::now();
  auto result = evaluate(parts_.engine, parts_.reward, parts_.eval_prompts, config_, step_, kEvalSeed ^ config_.seed);
  if (result.was_stopped) return false;
  std::map<std::string, double> metrics{{"eval/tokens", result.mean_tokens}, {"eval/wait", result.mean_waits}};
  for (const auto& [name, e] : result.estimates) {
    metrics["eval/" + name] = e.value;
    parts_.database.add_evaluation({.stage = std::string(kStage),
                                    .step = step_,
                                    .name = name,
                                    .k = static_cast<int>(config_.eval.num_samples),
                                    .value = e.value,
                                    .low = e.low,
                                    .high = e.high,
                                    .num_prompts = e.num_prompts});
  }
  for (auto& group : result.groups) parts_.database.add_group(kStage, step_, rollout::Split::kEval, std::move(group));
  const auto seconds = seconds_since(start);
  compute_seconds_ += seconds;
  metrics["eval/seconds"] = seconds;
  parts_.database.add_step({.stage = std::string(kStage), .step = step_, .metrics = metrics});
  parts_.metrics.add(std::string(kStage), step_, metrics);
  const auto& [name, accuracy] = result.estimates.front();
  log::info("step {}: held-out {} {:.3f} [{:.3f}, {:.3f}], tokens {:.1f}, wait {:.2f}", step_, name, accuracy.value,
            accuracy.low, accuracy.high, result.mean_tokens, result.mean_waits);
  return true;
}

// The decoder packs the policy's weights anew, and every later token says which version made it.
void RlLoop::hand_weights_over() {
  parts_.decoder.reload(parts_.policy.parameters().source());
  const WeightsVersion version{.number = static_cast<uint64_t>(optimizer_.num_steps()),
                               .hash = parts_.policy.parameters().hash()};
  parts_.engine.weights_changed(version);
  parts_.database.add_weights(kStage, step_, version);
}

void RlLoop::refresh_reference() { reference_->parameters().weights().copy_(parts_.policy.parameters().weights()); }

void RlLoop::record(const PhaseResult& phase, std::map<std::string, double> metrics, double seconds) {
  const auto statistics = rewards::describe(phase.groups);
  metrics.merge(rewards::to_metrics(statistics));
  metrics["wait"] = mean_waits(phase.groups);
  compute_seconds_ += seconds;
  metrics["seconds/sample"] = phase.sample_seconds;
  metrics["seconds/reward_wait"] = phase.reward_wait_seconds;
  metrics["seconds/step"] = seconds;
  metrics["compute_seconds"] = compute_seconds_;
  metrics["set_aside_groups"] = static_cast<double>(phase.set_aside.size());
  parts_.database.add_step({.stage = std::string(kStage), .step = step_, .metrics = metrics, .seconds = seconds});
  parts_.metrics.add(std::string(kStage), step_, metrics);
  raise_alarms(statistics);
  for (const auto* groups : {&phase.groups, &phase.set_aside}) {
    for (const auto& group : *groups) parts_.database.add_group(kStage, step_, rollout::Split::kTrain, group);
  }
  log::info(
      "step {}: reward {:.3f} accuracy {:.3f} tokens {:.1f} wait {:.2f} | sample {:.2f} s, update {:.2f} s, gap {:.1e}",
      step_, metrics["reward"], metrics["accuracy"], metrics["tokens"], metrics["wait"], metrics["seconds/sample"],
      metrics["seconds/update"], metrics["rollout_gap_max"]);
}

void RlLoop::raise_alarms(const rewards::StepStatistics& statistics) {
  auto alarms = alarms_.observe(statistics);
  if (alarms.empty()) return;
  for (const auto& alarm : alarms) log::warn("step {}: alarm {}: {}", step_, alarm.kind, alarm.message);
  parts_.database.add_alarms(kStage, step_, std::move(alarms));
}

void RlLoop::save() {
  parts_.database.flush();
  parts_.metrics.flush();
  train::Checkpoint checkpoint{.step = step_};
  checkpoint.state = {{"cursor", tasks::to_json(parts_.prompts.cursor())},
                      {"optimizer_steps", optimizer_.num_steps()},
                      {"compute_seconds", compute_seconds_},
                      {"alarms", alarms_.to_json()},
                      {"weights_hash", fmt::format("{:016x}", parts_.policy.parameters().hash())}};
  checkpoint.tensors = {{"optimizer.first_moment", optimizer_.first_moment()},
                        {"optimizer.second_moment", optimizer_.second_moment()}};
  if (reference_) checkpoint.tensors["reference"] = reference_->parameters().weights();
  parts_.checkpoints.save(checkpoint, [&](const std::filesystem::path& folder) {
    model::save_model(folder, parts_.policy.config(), parts_.policy.parameters().source(),
                      {.extra_files = parts_.tokenizer_files});
  });
}

void RlLoop::resume() {
  const auto checkpoint = parts_.checkpoints.load_latest();
  step_ = checkpoint ? checkpoint->step : 0;
  parts_.database.truncate_after(kStage, step_ - 1);
  if (!checkpoint) return;
  const auto where = (checkpoint->folder / "state.json").string();
  parts_.policy.parameters().load(*model::open_model(checkpoint->model_folder()).weights);
  optimizer_.restore(checkpoint->tensors.at("optimizer.first_moment"),
                     checkpoint->tensors.at("optimizer.second_moment"),
                     json::get_int(checkpoint->state, "optimizer_steps", where));
  if (reference_) reference_->parameters().weights().copy_(checkpoint->tensors.at("reference"));
  parts_.prompts.restore(tasks::cursor_from_json(checkpoint->state.at("cursor"), where));
  compute_seconds_ = json::get_double(checkpoint->state, "compute_seconds", where);
  if (const auto* alarms = checkpoint->state.if_contains("alarms")) alarms_.restore(*alarms, where);
  log::info("goes on from {} (step {} of {})", checkpoint->folder.string(), step_, config_.steps);
}

}  // namespace r1::rl
