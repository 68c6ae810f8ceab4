#include "cli/options.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "core/error.h"
#include "nn/huge_pages.h"

namespace r1::cli {

std::optional<int> parse(CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> words(argv, argv + argc);
  std::ranges::reverse(words);  // CLI11 takes them from the back
  try {
    app.parse(words);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return {};
}

void add_threads(CLI::App& app, int& num_threads) {
  app.add_option("--threads", num_threads, "CPU threads; 0: one per core")->check(CLI::Range(0, 1024));
}

void apply_threads(int num_threads) {
  // What is left to ATen are passes over memory between our kernels. OpenMP's threads would wait for them by spinning,
  // on the cores that our own pool's threads then want: a fifth of a small model's training time.
  at::set_num_threads(1);
  nn::use_huge_pages();
  if (num_threads > 0) set_compute_threads(num_threads);
}

OpenModel open(const std::string& path) {
  auto loaded = model::open_model(path);
  auto tokenizer = text::Tokenizer::from_file(path);
  model::check_tokenizer_fits(loaded.config, tokenizer.vocab_size(), path);
  std::vector<int32_t> eos(loaded.config.eos_token_ids.begin(), loaded.config.eos_token_ids.end());
  if (const auto id = tokenizer.eos_id(); id && std::ranges::find(eos, *id) == eos.end()) eos.push_back(*id);
  return {std::move(loaded), std::move(tokenizer), std::move(eos)};
}

model::WeightFormat weight_format(const std::string& name, const model::LoadedModel& model) {
  if (name == "f32") return model::WeightFormat::kF32;
  if (name == "bf16") return model::WeightFormat::kBF16;
  if (name == "native" || (name == "auto" && model.is_gguf)) return model::WeightFormat::kNative;
  if (name == "auto") return model::WeightFormat::kF32;
  throw Error("--weights", fmt::format("got '{}', allowed are auto, f32, bf16, native", name), "leave it out for auto");
}

}  // namespace r1::cli
