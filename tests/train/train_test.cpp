#include <torch/torch.h>

#include <fstream>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"
#include "train/checkpoint.h"
#include "train/crc32c.h"
#include "train/event_file.h"
#include "train/metrics.h"
#include "train/optimizer.h"
#include "train/packing.h"
#include "train/schedule.h"

using namespace r1;

TEST_CASE("learning rates by step") {
  struct Row {
    std::string why;
    train::ScheduleConfig config;
    int64_t step;
    double rate;
  };
  using Shape = train::ScheduleShape;
  const auto row = GENERATE(Row{"constant", {.learning_rate = 2}, 7, 2}, Row{"first warm-up step", {.learning_rate = 1, .warmup_steps = 4}, 0, 0.25},
                            Row{"end of warm-up", {.learning_rate = 1, .warmup_steps = 4}, 3, 1},
                            Row{"cosine, half way", {.learning_rate = 1, .min_ratio = 0, .shape = Shape::kCosine}, 50, 0.5},
                            Row{"cosine, end", {.learning_rate = 1, .min_ratio = 0.1, .shape = Shape::kCosine}, 100, 0.1},
                            Row{"linear", {.learning_rate = 1, .min_ratio = 0, .shape = Shape::kLinear}, 25, 0.75},
                            Row{"wsd, stable", {.learning_rate = 1, .decay_steps = 10, .shape = Shape::kWarmupStableDecay}, 89, 1},
                            Row{"wsd, half decayed", {.learning_rate = 1, .min_ratio = 0, .decay_steps = 10, .shape = Shape::kWarmupStableDecay}, 95, 0.5});
  INFO(row.why);
  CHECK(train::learning_rate(row.config, row.step, 100) == Approx(row.rate));
}

TEST_CASE("DeepSeek-V3's learning rate: warm-up, constant, cosine, constant, lower constant") {
  const train::ScheduleConfig c{.learning_rate = 2.2e-4, .min_ratio = 0.1, .warmup_steps = 10, .decay_steps = 300,
                                .constant_steps = 600, .final_steps = 20, .shape = train::ScheduleShape::kDeepseekV3};
  train::validate(c, 1000, "pretrain.optimizer");
  const struct {
    int64_t step;
    double rate;
  } rows[] = {{0, 2.2e-5}, {9, 2.2e-4}, {10, 2.2e-4}, {609, 2.2e-4}, {760, 2.2e-5 + 0.5 * 1.98e-4}, {910, 2.2e-5}, {979, 2.2e-5}, {980, 7.3e-6}, {999, 7.3e-6}};
  for (const auto& row : rows) {
    INFO(row.step);
    CHECK(train::learning_rate(c, row.step, 1000) == Approx(row.rate).epsilon(2e-3));
  }
  auto long_parts = c;
  long_parts.constant_steps = 700;
  CHECK_THROWS_WITH(train::validate(long_parts, 1000, "x"), Catch::Contains("x.decay_steps") && Catch::Contains("1030 of 1000"));
}

TEST_CASE("packing covers every sequence once, keeps to the budget, and wastes little", "[property]") {
  std::vector<int32_t> lengths;
  for (int i = 0; i < 200; ++i) lengths.push_back(10 + (i * 7919) % 290);
  lengths.push_back(5000);
  const auto bins = train::best_fit_packing(lengths, 1024);
  std::vector<int> seen(lengths.size());
  int64_t total = 0;
  for (const auto& bin : bins) {
    int64_t sum = 0;
    for (const auto i : bin) sum += lengths[i], ++seen[i];
    CHECK((sum <= 1024 || bin.size() == 1));
    total += sum;
  }
  CHECK(std::ranges::all_of(seen, [](int n) { return n == 1; }));
  CHECK(static_cast<double>(total - 5000) / (static_cast<double>(bins.size() - 1) * 1024) > 0.95);
}

TEST_CASE("AdamW takes torch's own steps") {
  const auto config = tiny_config(64);
  const auto init = tiny_weights(config);
  nn::Parameters parameters(config, at::kCPU);
  parameters.load(init->weights);
  auto theirs = parameters.weights().clone().requires_grad_(true);
  torch::optim::AdamW reference({theirs}, torch::optim::AdamWOptions(1e-2).betas({0.9, 0.95}).weight_decay(0.1));
  train::AdamW ours(parameters, {.weight_decay = 0.1, .max_grad_norm = 0});
  torch::manual_seed(0);
  for (int i = 0; i < 5; ++i) {
    const auto grad = torch::randn_like(parameters.weights());
    parameters.grads().copy_(grad);
    theirs.mutable_grad() = grad.clone();
    ours.step(1e-2);
    reference.step();
  }
  CHECK(at::allclose(parameters.weights(), theirs.detach(), 1e-5, 1e-6));
}

TEST_CASE("a gradient is clipped by its global norm, and one that is not finite updates nothing") {
  const auto config = tiny_config(64);
  const auto init = tiny_weights(config);
  nn::Parameters parameters(config, at::kCPU);
  parameters.load(init->weights);
  train::AdamW optimizer(parameters, {.max_grad_norm = 1});
  parameters.grads().fill_(std::numeric_limits<float>::quiet_NaN());
  const auto before = parameters.weights().clone();
  CHECK(optimizer.step(0.1).is_skipped);
  CHECK(at::equal(before, parameters.weights()));
  CHECK(optimizer.num_steps() == 0);
  parameters.grads().fill_(2);
  CHECK(optimizer.step(0.1).grad_norm == Approx(2 * std::sqrt(parameters.grads().numel())));
  CHECK_FALSE(at::equal(before, parameters.weights()));
}

namespace {

void save_step(const train::CheckpointStore& store, int64_t step) {
  train::Checkpoint checkpoint{.step = step, .state = {{"note", "n" + std::to_string(step)}}};
  checkpoint.tensors["x"] = torch::full({3}, static_cast<float>(step));
  store.save(checkpoint, [](const std::filesystem::path& folder) { write_file_atomic(folder / "config.json", "{}"); });
}

}  // namespace

TEST_CASE("a checkpoint comes back as it was saved, and old ones go") {
  TempFolder temp;
  const train::CheckpointStore store(temp / "checkpoints", 2);
  CHECK_FALSE(store.load_latest());
  for (const int64_t step : {1, 2, 3}) save_step(store, step);
  CHECK(store.steps() == std::vector<int64_t>{2, 3});
  const auto loaded = store.load_latest();
  REQUIRE(loaded);
  CHECK(loaded->step == 3);
  CHECK(loaded->state.at("note").as_string() == "n3");
  CHECK(at::equal(loaded->tensors.at("x"), torch::full({3}, 3.0f)));
  CHECK(std::filesystem::exists(loaded->model_folder() / "config.json"));
}

TEST_CASE("a damaged checkpoint is passed over for the one before it; if all are damaged, that is an error") {
  TempFolder temp;
  const train::CheckpointStore store(temp / "checkpoints", 0);
  save_step(store, 1);
  save_step(store, 2);
  const auto file = temp / "checkpoints/step-00000002/tensors.safetensors";
  const auto damage = GENERATE(std::string("a flipped bit"), std::string("a short file"), std::string("a missing file"), std::string("no manifest"));
  INFO(damage);
  if (damage == "a flipped bit") {
    auto content = read_file(file);
    content[content.size() / 2] ^= 1;
    std::ofstream(file, std::ios::binary) << content;
  }
  if (damage == "a short file") std::filesystem::resize_file(file, 10);
  if (damage == "a missing file") std::filesystem::remove(file);
  if (damage == "no manifest") std::filesystem::remove(temp / "checkpoints/step-00000002/manifest.json");
  CHECK(store.load_latest()->step == 1);
  std::filesystem::remove(temp / "checkpoints/step-00000001/manifest.json");
  CHECK_THROWS_WITH(store.load_latest(), Catch::Contains("every checkpoint is damaged") && Catch::Contains("step-00000002"));
}

TEST_CASE("crc32c has its known values") {
  CHECK(train::crc32c("123456789") == 0xE3069283u);
  CHECK(train::crc32c("") == 0);
}

namespace {

std::string from_hex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 2) out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return out;
}

}  // namespace

TEST_CASE("event records are TensorBoard's bytes", "[golden]") {
  const auto expected = json::parse_file(std::string(R1_FIXTURES) + "/tensorboard/expected.json").as_object();
  std::vector<std::string> events;
  for (const auto& hex : expected.at("events_hex").as_array()) events.push_back(from_hex(hex.as_string()));
  const auto wall_time = [&](size_t i) {
    double time = 0;
    std::memcpy(&time, events[i].data() + 1, sizeof(time));
    return time;
  };
  CHECK(train::event_version(wall_time(0)) == events[0]);
  CHECK(train::event_scalar(wall_time(1), 0, "train/loss", 2.5f) == events[1]);
  CHECK(train::event_scalar(wall_time(2), 1, "train/loss", 2.0f) == events[2]);
  CHECK(train::event_scalar(wall_time(3), 2, "train/loss", 1.5f) == events[3]);
  CHECK(train::event_text(wall_time(5), 8, "sample", "h\xc3\xa9llo **md**") == events[5]);
  const auto file = read_file(std::string(R1_FIXTURES) + "/tensorboard/events.out.tfevents.1700000000.fixture.0");
  CHECK(file.substr(0, train::frame(events[0]).size()) == train::frame(events[0]));
}

TEST_CASE("resuming drops the lines of later steps and a torn last line") {
  TempFolder temp;
  {
    train::MetricsWriter writer(temp.path(), -1);
    for (int step = 0; step < 5; ++step) writer.add("rl", step, {{"reward", step * 0.5}, {"bad", std::nan("")}});
  }
  std::ofstream(temp / "metrics.jsonl", std::ios::app) << "{\"step\": 5, \"rew";
  {
    train::MetricsWriter writer(temp.path(), 2);
    writer.add("rl", 3, {{"reward", 9.0}});
  }
  std::vector<std::string> lines;
  for_each_line(temp / "metrics.jsonl", [&](int64_t, std::string_view line) { lines.emplace_back(line); });
  REQUIRE(lines.size() == 4);
  const auto last = json::parse(lines[3], "line").as_object();
  CHECK(last.at("step").to_number<int>() == 3);
  CHECK(last.at("reward").to_number<double>() == 9);
  CHECK(json::parse(lines[0], "line").as_object().at("bad").is_null());
}
