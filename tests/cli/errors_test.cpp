// What a user meets who gave something wrong: one clear error that names it, and nothing lost.

#include <fmt/format.h>

#include <filesystem>

#include "core/files.h"
#include "tests/cli/recipes.h"
#include "tests/support/catch.h"

using Catch::Contains;

namespace {

const std::string kFixtures = R1_FIXTURES;

void copy_folder(const std::string& from, const std::string& to) {
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

void write(const std::string& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

// An error is status 1 and says what to do.
void check_error(const ProgramEnd& end, const std::string& part) {
  INFO(end.output);
  CHECK(end.status == 1);
  CHECK_THAT(end.output, Contains(part));
  CHECK_THAT(end.output, Contains("mend: "));
}

}  // namespace

TEST_CASE("models that cannot be read are refused by file, key or tensor") {
  const Workplace place;
  SECTION("no such folder") {
    check_error(place.r1({"generate", place.at("absent"), "--prompt", "x"}), place.at("absent"));
  }
  SECTION("no weights") {
    copy_folder(kFixtures + "/llama", place.at("m"));
    std::filesystem::remove(place.at("m") + "/model.safetensors");
    check_error(place.r1({"generate", place.at("m"), "--prompt", "x"}), "safetensors");
  }
  SECTION("truncated weights") {
    copy_folder(kFixtures + "/llama", place.at("m"));
    std::filesystem::resize_file(place.at("m") + "/model.safetensors", 100'000);
    check_error(place.r1({"logits", place.at("m"), kFixtures + "/llama/reference.safetensors", place.at("out")}),
                "model.safetensors");
    CHECK_FALSE(std::filesystem::exists(place.at("out")));
  }
  SECTION("a damaged config") {
    copy_folder(kFixtures + "/llama", place.at("m"));
    write(place.at("m") + "/config.json", R"({"model_type": "llama", "hidden_size": )");
    check_error(place.r1({"logits", place.at("m"), kFixtures + "/llama/reference.safetensors", place.at("out")}),
                "config.json");
  }
  SECTION("a tokenizer that does not fit") {
    copy_folder(kFixtures + "/llama", place.at("m"));
    std::filesystem::copy_file(kFixtures + "/tokenizers/gpt2/tokenizer.json", place.at("m") + "/tokenizer.json",
                               std::filesystem::copy_options::overwrite_existing);
    check_error(place.r1({"generate", place.at("m"), "--prompt", "x"}), "m");
  }
}

TEST_CASE("settings, data and folders that cannot work are refused by key, file and line") {
  const Workplace place;
  REQUIRE(place.pretrain("base").status == 0);
  const auto with = [&](const std::string& setting) {
    return place.r1(
        {"rl", place.recipe, "--model", place.at("base") + "/model", "--run", place.at("rl"), "--set", setting});
  };
  SECTION("an unknown key names the nearest") {
    write(place.recipe, tiny_recipe("[engine]\nmax_runing = 4\n"));
    check_error(place.rl("base", "rl"), "recipe.toml:40:1");
    CHECK_THAT(place.rl("base", "rl").output, Contains("max_running"));
  }
  SECTION("FP8 for a model that is no DeepSeek-V3") {
    check_error(place.r1({"pretrain", place.recipe, "--run", place.at("fp8"), "--set", "model.precision=\"fp8\""}),
                "model.precision: fp8 is for DeepSeek-V3's layers; the model is a llama");
    CHECK_FALSE(std::filesystem::exists(place.at("fp8")));
  }
  SECTION("FP8 in RL") { check_error(with("model.precision=\"fp8\""), "model.precision: fp8 is for pretraining"); }
  SECTION("a value out of range") { check_error(with("rl.group_size=1"), "rl.group_size"); }
  SECTION("an empty data set") {
    write(place.at("empty.jsonl"), "");
    check_error(with("tasks=[{file=\"" + place.at("empty.jsonl") + "\"}]"), "empty.jsonl");
  }
  SECTION("a line that is not JSON") {
    write(place.at("bad.jsonl"), "{\"prompt\": \"1+1=\", \"answer\": \"2\", \"task\": \"number\"}\n{oops\n");
    check_error(with("tasks=[{file=\"" + place.at("bad.jsonl") + "\"}]"), "bad.jsonl:2");
  }
  SECTION("a task without a reward") {
    write(place.at("bad.jsonl"), "{\"prompt\": \"1+1=\", \"answer\": \"2\", \"task\": \"nummer\"}\n");
    check_error(with("tasks=[{file=\"" + place.at("bad.jsonl") + "\"}]"), "perhaps number");
  }
  SECTION("a prompt longer than the context") {
    std::string prompt;
    for (int i = 0; i < 200; ++i) prompt += std::to_string(i) + " ";
    write(place.at("long.jsonl"), "{\"prompt\": \"" + prompt + "\", \"answer\": \"2\", \"task\": \"number\"}\n");
    check_error(with("tasks=[{file=\"" + place.at("long.jsonl") + "\"}]"), "long.jsonl");
  }
  SECTION("other settings for a run that has begun") {
    REQUIRE(place.rl("base", "rl").status == 0);
    check_error(with("rl.group_size=8"), "group_size");
  }
  SECTION("weights that are not numbers") {
    const auto path = place.at("base") + "/model/model.safetensors";
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(-4, std::ios::end);
    file.write("\x00\x00\xc0\x7f", 4);
    file.close();
    check_error(place.rl("base", "rl"), "is not a finite number");
  }
}

TEST_CASE("without namespaces, programs are refused before anything is spent, and run with --unsafe") {
  const Workplace place;
  REQUIRE(place.pretrain("base").status == 0);
  std::string rows;
  for (int i = 0; i < 12; ++i) {
    rows += fmt::format(R"({{"prompt": "f{}", "task": "code", "tests": {{"entry_point": "f", "cases": [{{"args": [], "result": 1}}]}}}})", i) + "\n";
  }
  write(place.at("code.jsonl"), rows);
  const auto tasks = fmt::format("tasks=[{{file=\"{}\", held_out_modulus=2}}]", place.at("code.jsonl"));
  std::vector<std::string> words{"rl",    place.recipe,   "--model", place.at("base") + "/model",
                                 "--run", place.at("rl"), "--set",   tasks,
                                 "--set", "rl.steps=1"};
  check_error(place.r1(words, {.is_without_namespaces = true}), "--unsafe");
  CHECK_FALSE(std::filesystem::exists(place.at("rl")));
  words.push_back("--unsafe");
  const auto unsafe = place.r1(words, {.is_without_namespaces = true});
  INFO(unsafe.output);
  CHECK(unsafe.status == 0);
}

TEST_CASE("a second process on a run's folder is told who holds it, and the first goes on") {
  const Workplace place(tiny_recipe());
  REQUIRE(place.pretrain("base").status == 0);
  ProgramEnd first;
  std::thread running([&] {
    first = place.r1(
        {"rl", place.recipe, "--model", place.at("base") + "/model", "--run", place.at("rl"), "--set", "rl.steps=1000000"},
        {.signal = SIGINT, .signal_after_ms = 4000});
  });
  while (!std::filesystem::exists(place.at("rl") + "/rollouts.db"))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  check_error(place.rl("base", "rl"), "uses this folder");
  running.join();
  INFO(first.output);
  CHECK(first.status == 130);
}

TEST_CASE("a disk that fills up ends a run with an error, and the run goes on once there is room") {
  const Workplace place;
  REQUIRE(place.pretrain("base").status == 0);
  REQUIRE(place.rl("base", "rl").status == 0);
  const auto full = place.rl("base", "small", {.max_file_bytes = 60'000});
  INFO(full.output);
  CHECK(full.status == 1);
  CHECK_THAT(full.output, Contains("mend: "));
  const auto again = place.rl("base", "small");
  INFO(again.output);
  CHECK(again.status == 0);
}

TEST_CASE("commands that are misspelt or lack words exit with 2 and say what there is") {
  const Workplace place;
  CHECK(place.r1({}).status == 2);
  CHECK(place.r1({"trane"}).status == 2);
  CHECK_THAT(place.r1({"trane"}).output, Contains("train"));
  CHECK(place.r1({"rl"}).status == 2);
  CHECK(place.r1({"rl", "--help"}).status == 0);
}

TEST_CASE("r1 logits --device cuda is refused by name where there is no GPU") {
  const Workplace place;
  const auto folder = kFixtures + "/llama";
  check_error(place.r1({"logits", folder, folder + "/reference.safetensors", place.at("out"), "--device", "cuda"},
                       {.environment = {"CUDA_VISIBLE_DEVICES="}}),
              "--device cuda: no GPU");
  CHECK_FALSE(std::filesystem::exists(place.at("out")));
}
