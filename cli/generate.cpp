// r1 generate: completions of a prompt or a chat.

#include <chrono>
#include <cstdio>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/error.h"
#include "core/log.h"
#include "rollout/engine.h"
#include "text/chat.h"

namespace r1::cli {
namespace {

struct GenerateOptions {
  std::string model, prompt, chat, system, weights = "auto";
  SamplingParams sampling{.max_new_tokens = 256};
  rollout::EngineConfig engine;
  int num_threads = 0;
  bool raw = false;
};

void add_options(CLI::App& app, GenerateOptions& o) {
  app.add_option("model", o.model, "Hugging Face folder or .gguf file")->required();
  app.add_option("-p,--prompt", o.prompt, "text to continue");
  app.add_option("-c,--chat", o.chat, "a user's message, put through the model's chat template");
  app.add_option("--system", o.system, "system message for --chat");
  app.add_option("-n,--num-samples", o.sampling.num_samples, "completions of the prompt");
  app.add_option("--max-new-tokens", o.sampling.max_new_tokens, "longest completion");
  app.add_option("-t,--temperature", o.sampling.temperature, "0 is greedy");
  app.add_option("--top-p", o.sampling.top_p);
  app.add_option("--top-k", o.sampling.top_k, "0: off");
  app.add_option("--min-p", o.sampling.min_p);
  app.add_option("--stop", o.sampling.stop, "a completion ends before one of these texts");
  app.add_option("--seed", o.sampling.seed);
  app.add_option("--weights", o.weights, "auto (GGUF blocks as they are, else f32), f32, bf16, native");
  app.add_option("--kv-cache-mb", o.engine.kv_cache_mb);
  app.add_option("--drafts", o.engine.num_draft_tokens, "1: the MTP module of a DeepSeek-V3 drafts a token a step");
  app.add_option("--max-batch-tokens", o.engine.max_batch_tokens, "rows of one forward pass");
  app.add_flag("--raw", o.raw, "print control characters as they are");
  add_threads(app, o.num_threads);
}

Prompt make_prompt(const GenerateOptions& o, const text::Tokenizer& tokenizer) {
  Prompt prompt{.id = "prompt"};
  if (o.chat.empty()) {
    prompt.text = o.prompt;
    prompt.token_ids = tokenizer.encode(o.prompt, text::Specials::kAdd);
    return prompt;
  }
  std::vector<text::Message> messages;
  if (!o.system.empty()) messages.push_back({"system", o.system});
  messages.push_back({"user", o.chat});
  prompt.text = text::render_chat(tokenizer, messages);
  prompt.token_ids = tokenizer.encode(prompt.text);
  return prompt;
}

}  // namespace

int run_generate(int argc, const char* const* argv) {
  GenerateOptions o;
  CLI::App app("Completes a prompt or a chat, streaming to the terminal.", "r1 generate");
  add_options(app, o);
  if (const auto status = parse(app, argc, argv)) return *status;
  if (o.prompt.empty() == o.chat.empty()) throw Error("r1 generate", "give either --prompt or --chat", "r1 generate MODEL --chat \"Hello\"");
  apply_threads(o.num_threads);

  const auto model = open(o.model);
  model::Decoder decoder(model.loaded.config, *model.loaded.weights, weight_format(o.weights, model.loaded), compute_pool(),
                         mtp_for(o.engine.num_draft_tokens));
  rollout::Engine engine(decoder, model.tokenizer, model.eos_ids, o.engine);
  const auto show = [&](std::string_view text) {
    const auto shown = o.raw ? std::string(text) : log::printable(text, log::Newlines::kKeep);
    std::fwrite(shown.data(), 1, shown.size(), stdout);
    std::fflush(stdout);
  };
  const bool streams = o.sampling.num_samples == 1;
  if (streams) engine.set_on_text([&](size_t, int, std::string_view piece) { show(piece); });
  const auto start = std::chrono::steady_clock::now();
  const Prompt prompts[]{make_prompt(o, model.tokenizer)};
  const auto groups = engine.generate(prompts, o.sampling, {});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const auto& sample : groups[0]) {
    if (streams) break;
    fmt::print("--- sample {} ({} tokens, {})\n", sample.index, sample.token_ids.size(), to_string(sample.finish));
    show(sample.text);
    show("\n");
  }
  fmt::print("\n");
  std::fflush(stdout);
  const auto& stats = engine.stats();
  fmt::print(stderr, "{} prompt + {} new tokens in {:.2f} s, {:.1f} tokens/s, finish: {}\n", prompts[0].token_ids.size(),
             stats.num_generated_tokens, seconds, static_cast<double>(stats.num_generated_tokens) / seconds,
             to_string(groups[0][0].finish));
  if (stats.num_drafted > 0) {
    fmt::print(stderr, "drafts: {} of {} came true\n", stats.num_accepted, stats.num_drafted);
  }
  return 0;
}

}  // namespace r1::cli
