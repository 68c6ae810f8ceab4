#include "tasks/config.h"

#include "core/error.h"
#include "tests/support/catch.h"

using namespace r1::tasks;

namespace {

SetConfig read(const std::string& text) {
  const auto config = r1::Config::from_text(text, "recipe.toml");
  const auto set = read_set_config(config.root());
  config.check_all_used();
  return set;
}

}  // namespace

TEST_CASE("a generator's settings are read from its table") {
  const auto set = read("generator = 'countdown'\nnum_numbers = 4\nmax_target = 99\nsize = 1000\nweight = 2\n");
  CHECK(set.countdown.num_numbers == 4);
  CHECK(set.countdown.max_target == 99);
  CHECK(set.size == 1000);
  CHECK(set.weight == 2);
  const auto questions = open_set(set, Split::kTrain, 3);
  CHECK(questions.size == 1000);
  CHECK(questions.at(0).task == "countdown");

  const auto sums = read("generator = 'arithmetic'\nnumbers = 'decimal'\nwording = 'plain'\noperations = '+'\n");
  CHECK(sums.arithmetic.numbers == NumberKind::kDecimal);
  CHECK(open_set(sums, Split::kHeldOut, 3).at(0).task == "arithmetic");
}

TEST_CASE("traces and prompt styles are read from their tables") {
  const auto config = r1::Config::from_text(
      "[traces]\nattempts = [1, 3]\nattempt_weights = [0.25, 0.75]\nrepeats = 'never'\nled_share = 0.2\nnum_numbers = "
      "4\n"
      "[prompt]\ntemplate = 'r1_zero'\nsuffix = ' <think>'\n",
      "recipe.toml");
  const auto traces = read_trace_options(config.table("traces"));
  CHECK(traces.attempts == std::vector<int>{1, 3});
  CHECK(traces.attempt_weights == std::vector<double>{0.25, 0.75});
  CHECK(traces.repeats == Repeats::kNever);
  CHECK(traces.countdown.num_numbers == 4);
  const auto style = read_prompt_style(config.table("prompt"));
  CHECK(style.form == PromptTemplate::kR1Zero);
  CHECK(style.suffix == " <think>");
  CHECK_NOTHROW(config.check_all_used());
}

TEST_CASE("settings that cannot work name their key") {
  struct Row {
    std::string_view why;
    std::string text, says;
  };
  const auto row = GENERATE(values<Row>({
      {"neither generator nor file", "weight = 1\n", "'generator' or 'file'"},
      {"both", "generator = 'countdown'\nfile = 'x.jsonl'\n", "'generator' or 'file'"},
      {"an unknown generator", "generator = 'countdwon'\n", "countdown"},
      {"a setting of another generator", "generator = 'countdown'\nmax_digits = 3\n", "max_digits"},
      {"a value out of range", "generator = 'countdown'\nnum_numbers = 9\n", "num_numbers"},
      {"a value beyond 32 bits", "generator = 'countdown'\nmax_number = 5000000000\n", "max_number"},
      {"a negative size", "generator = 'countdown'\nsize = -1\n", "size"},
      {"a generator's setting for a file", "file = 'x.jsonl'\nsize = 3\n", "size"},
  }));
  INFO(row.why);
  CHECK_THROWS_WITH(read(row.text), Catch::Contains(row.says));
}

TEST_CASE("a system message without a chat template is refused, for it would have no effect") {
  const auto config = r1::Config::from_text("system = 'Be brief.'\n", "recipe.toml");
  CHECK_THROWS_WITH(read_prompt_style(config.root()), Catch::Contains("no effect"));
}
