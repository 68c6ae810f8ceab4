#pragma once
// Recipes that finish in a second or two, for tests of the whole program.

#include <fstream>
#include <string>

#include "tests/support/program.h"

inline std::string tiny_recipe(const std::string& more = "") {
  return R"(seed = 7
[model]
family = "llama"
hidden_size = 32
intermediate_size = 64
num_layers = 2
num_heads = 4
num_kv_heads = 2
max_position = 256
tie_word_embeddings = true
[tokenizer]
vocab_size = 400
max_integer = 100
num_documents = 500
[pretrain]
steps = 12
tokens_per_step = 512
micro_batch_tokens = 256
checkpoint_every = 3
[[tasks]]
generator = "countdown"
[rl]
steps = 8
prompts_per_step = 4
group_size = 4
max_new_tokens = 24
micro_batch_tokens = 256
checkpoint_every = 2
[rl.optimizer]
learning_rate = 1e-3
[rl.loss]
kl_coef = 0.01
[eval]
every = 3
num_prompts = 4
num_samples = 2
[rewards]
format_weight = 1.0
)" + more;
}

// A folder with a recipe in it and what runs make of it.
struct Workplace {
  TempFolder folder;
  std::string recipe = (folder / "recipe.toml").string();

  explicit Workplace(const std::string& text = tiny_recipe()) { std::ofstream(recipe) << text; }
  std::string at(const std::string& name) const { return (folder / name).string(); }

  ProgramEnd r1(std::vector<std::string> words, const ProgramOptions& options = {}) const {
    words.insert(words.begin(), R1_PROGRAM);
    return run_program(words, options);
  }
  ProgramEnd pretrain(const std::string& run, const ProgramOptions& options = {}) const {
    return r1({"pretrain", recipe, "--run", at(run)}, options);
  }
  ProgramEnd rl(const std::string& base, const std::string& run, const ProgramOptions& options = {}) const {
    return r1({"rl", recipe, "--model", at(base) + "/model", "--run", at(run)}, options);
  }
};
