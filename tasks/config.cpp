#include "tasks/config.h"

#include <fmt/format.h>

#include "core/error.h"

namespace r1::tasks {
namespace {

int get_number(const ConfigTable& table, std::string_view key, int fallback) {
  const auto value = table.get_int(key, fallback);
  if (value == static_cast<int>(value)) return static_cast<int>(value);
  throw Error(table.where(key), fmt::format("{} is too large", value), "use a number within 32 bits");
}

std::vector<int> get_numbers(const ConfigTable& table, std::string_view key, const std::vector<int>& fallback) {
  std::vector<int> numbers;
  for (const double value : table.get_doubles(key, {fallback.begin(), fallback.end()})) {
    if (!(value >= 0 && value <= 1e6 && value == static_cast<int>(value))) {
      throw Error(table.where(key), fmt::format("{} is not a whole number from 0 to 1000000", value),
                  "use whole numbers");
    }
    numbers.push_back(static_cast<int>(value));
  }
  return numbers;
}

template <typename Choice>
Choice get_choice(const ConfigTable& table, std::string_view key, Choice fallback,
                  const std::vector<std::string>& names) {
  const auto name = table.get_choice(key, names.at(static_cast<size_t>(fallback)), names);
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Choice>(i);
  }
  return fallback;
}

}  // namespace

CountdownOptions read_countdown_options(const ConfigTable& table, CountdownOptions o) {
  o.num_numbers = get_number(table, "num_numbers", o.num_numbers);
  o.max_number = get_number(table, "max_number", o.max_number);
  o.min_target = get_number(table, "min_target", o.min_target);
  o.max_target = get_number(table, "max_target", o.max_target);
  o.max_intermediate = get_number(table, "max_intermediate", o.max_intermediate);
  o.operations = table.get_string("operations", o.operations);
  o.held_out_modulus = get_number(table, "held_out_modulus", o.held_out_modulus);
  validate(o);
  return o;
}

ArithmeticOptions read_arithmetic_options(const ConfigTable& table, ArithmeticOptions o) {
  o.min_terms = get_number(table, "min_terms", o.min_terms);
  o.max_terms = get_number(table, "max_terms", o.max_terms);
  o.min_digits = get_number(table, "min_digits", o.min_digits);
  o.max_digits = get_number(table, "max_digits", o.max_digits);
  o.operations = table.get_string("operations", o.operations);
  o.group_share = table.get_double("group_share", o.group_share);
  o.numbers = get_choice(table, "numbers", o.numbers, {"integer", "decimal", "fraction"});
  o.decimal_places = get_number(table, "decimal_places", o.decimal_places);
  o.answers = get_choice(table, "answers", o.answers, {"any", "non_negative"});
  o.wording = get_choice(table, "wording", o.wording, {"plain", "natural"});
  o.held_out_modulus = get_number(table, "held_out_modulus", o.held_out_modulus);
  validate(o);
  return o;
}

TraceOptions read_trace_options(const ConfigTable& table, TraceOptions o) {
  o.countdown = read_countdown_options(table, o.countdown);
  o.attempts = get_numbers(table, "attempts", o.attempts);
  o.attempt_weights = table.get_doubles("attempt_weights", o.attempt_weights);
  o.led_share = table.get_double("led_share", o.led_share);
  o.repeats = get_choice(table, "repeats", o.repeats, {"allowed", "never"});
  o.operand_order = get_choice(table, "operand_order", o.operand_order, {"pool", "random"});
  o.retry = table.get_string("retry", o.retry);
  o.success = table.get_string("success", o.success);
  o.give_up = table.get_string("give_up", o.give_up);
  validate(o);
  return o;
}

PromptStyle read_prompt_style(const ConfigTable& table, PromptStyle style) {
  style.form = get_choice(table, "template", style.form, {"plain", "r1_zero", "chat"});
  style.suffix = table.get_string("suffix", style.suffix);
  style.system = table.get_string("system", style.system);
  style.max_tokens = get_number(table, "max_prompt_tokens", style.max_tokens);
  if (!style.system.empty() && style.form != PromptTemplate::kChat) {
    throw Error(table.where("system"), "has no effect without a chat template", "set template = \"chat\", or drop it");
  }
  return style;
}

SetConfig read_set_config(const ConfigTable& table, const SetConfig& defaults) {
  SetConfig config = defaults;
  config.file = table.get_string("file", defaults.file);
  const auto generator = table.get_choice("generator", config.generator, {"", "countdown", "arithmetic"});
  config.generator = generator;
  if (config.generator.empty() == config.file.empty()) {
    throw Error(table.where("generator"), "a question set needs either 'generator' or 'file'",
                "set generator = \"countdown\" or \"arithmetic\", or file = \"PATH.jsonl\"");
  }
  config.weight = table.get_double("weight", config.weight);
  if (!config.file.empty()) {
    config.jsonl.default_task = table.get_string("default_task", config.jsonl.default_task);
    config.jsonl.held_out_modulus = get_number(table, "held_out_modulus", config.jsonl.held_out_modulus);
    return config;
  }
  const auto size = table.get_int("size", static_cast<int64_t>(config.size));
  if (size < 0) throw Error(table.where("size"), fmt::format("must be at least 0, got {}", size), "0 never repeats");
  config.size = static_cast<uint64_t>(size);
  if (generator == "countdown") config.countdown = read_countdown_options(table, config.countdown);
  if (generator == "arithmetic") config.arithmetic = read_arithmetic_options(table, config.arithmetic);
  return config;
}

QuestionSet open_set(const SetConfig& config, Split split, uint64_t seed) {
  if (config.generator == "countdown") return countdown_set(config.countdown, split, seed, config.size);
  if (config.generator == "arithmetic") return arithmetic_set(config.arithmetic, split, seed, config.size);
  auto options = config.jsonl;
  options.split = split;
  return jsonl_set(config.file, options);
}

}  // namespace r1::tasks
