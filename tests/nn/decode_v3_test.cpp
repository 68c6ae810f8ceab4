// DeepSeek-V3 decoded from cached latents against the training forward, position by position.

#include <fmt/format.h>
#include <torch/torch.h>

#include <numeric>

#include "core/thread_pool.h"
#include "formats/safetensors.h"
#include "model/decoder.h"
#include "nn/causal_lm.h"
#include "tests/support/catch.h"
#include "tests/support/tiny_model.h"

using namespace r1;

namespace {

// One sequence in a cache of its own; blocks in reverse order.
class Walk {
 public:
  Walk(const model::ModelConfig& config, model::Decoder& decoder, std::vector<int32_t> ids)
      : decoder_(decoder), cache_(config, 16, config.num_mtp_layers), ids_(std::move(ids)) {
    for (int32_t b = 15; b >= 0; --b) table_.push_back(b);
  }

  // Logits of the main model at positions [begin, end), which are computed in one pass.
  std::vector<float> forward(int32_t begin, int32_t end) {
    const auto logits = decoder_.forward(batch(begin, end, 0), cache_);
    return {logits.begin(), logits.end()};
  }
  // Logits of the MTP module for the tokens at [begin, end), each with the main model's hidden state of the one before.
  std::vector<float> draft(int32_t begin, int32_t end, std::span<const float> previous) {
    const auto logits = decoder_.draft(batch(begin, end, 1), previous, cache_);
    return {logits.begin(), logits.end()};
  }

 private:
  model::ForwardBatch batch(int32_t begin, int32_t end, int32_t first_context) {
    const auto count = static_cast<size_t>(end - begin);
    positions_.resize(count);
    rows_.resize(count);
    std::iota(positions_.begin(), positions_.end(), begin);
    std::iota(rows_.begin(), rows_.end(), 0);
    slots_.clear();
    paged_.clear();
    for (const auto p : positions_) {
      slots_.push_back(int64_t{table_[static_cast<size_t>(p / 16)]} * 16 + p % 16);
      paged_.push_back({.block_table = table_.data(), .context = p + 1});
    }
    return {.token_ids = std::span(ids_).subspan(static_cast<size_t>(begin), count),
            .positions = positions_,
            .slots = slots_,
            .rows = paged_,
            .logit_rows = rows_,
            .first_context = first_context};
  }

  model::Decoder& decoder_;
  model::KvCache cache_;
  std::vector<int32_t> ids_, table_, positions_, rows_;
  std::vector<int64_t> slots_;
  std::vector<kernels::PagedRow> paged_;
};

// The largest difference of log-probs over rows and vocabulary, of those beyond -1 as a share. [R, V] both.
double log_prob_gap(const std::vector<float>& got, const at::Tensor& wanted) {
  const auto a = torch::from_blob(const_cast<float*>(got.data()), wanted.sizes(), at::kFloat);
  const auto b = wanted.to(at::kDouble).log_softmax(-1);
  return ((a.to(at::kDouble).log_softmax(-1) - b).abs() / b.abs().clamp_min(1)).max().item<double>();
}

struct Case {
  std::string why;
  model::ModelConfig config;
  std::unique_ptr<model::InitializedWeights> made;
  model::LoadedModel loaded;
  const model::WeightSource& weights() const { return made ? made->weights : *loaded.weights; }
};

Case fixture() {
  auto loaded = model::open_model(std::string(R1_FIXTURES) + "/deepseek_v3");
  auto config = loaded.config;
  return {"the fixture: q_lora, groups, YaRN", std::move(config), nullptr, std::move(loaded)};
}
Case tiny(const std::string& why, int64_t q_lora_rank, bool interleaves) {
  auto config = tiny_v3_config(256);
  config.mla->q_lora_rank = q_lora_rank;
  config.mla->rope_interleave = interleaves;
  auto made = tiny_weights(config);
  return {why, config, std::move(made), {}};
}

}  // namespace

TEST_CASE("decoding from latents gives the training forward's log-probs at every position to 1e-5, and so do drafts",
          "[property]") {
  const int which = GENERATE(0, 1, 2);
  const auto c = which == 0   ? fixture()
                 : which == 1 ? tiny("one q_proj", 0, true)
                              : tiny("q_lora, pairs of halves", 20, false);
  INFO(c.why);
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 90; ++i) ids.push_back((i * 37 + i / 9) % 251 + 2);
  const auto length = static_cast<int32_t>(ids.size());
  nn::CausalLm trained(c.config, c.weights(), {.gradients = nn::Gradients::kNone});
  at::NoGradGuard no_grad;
  const std::vector<std::span<const int32_t>> views{ids};
  const auto tokens = nn::pack(views);
  const auto hidden = trained.forward(tokens);
  const auto wanted = trained.logits(hidden), wanted_draft = trained.logits(trained.mtp(tokens, hidden)[0].hidden);

  ThreadPool pool(2);
  for (const auto mtp : {model::Mtp::kLeftOut, model::Mtp::kLoaded}) {
    model::Decoder decoder(c.config, c.weights(), model::WeightFormat::kF32, pool, mtp);
    Walk walk(c.config, decoder, ids);
    constexpr int32_t kPrompt = 21;
    double gap = log_prob_gap(walk.forward(0, kPrompt), wanted.narrow(0, 0, kPrompt)), draft_gap = 0;
    const auto meet = [&](int32_t begin, int32_t end) {  // the module meets tokens [begin, end)
      const auto before = decoder.hidden();
      const std::vector<float> previous(before.begin(), before.begin() + (end - begin) * c.config.hidden_size);
      draft_gap = std::max(
          draft_gap, log_prob_gap(walk.draft(begin, end, previous), wanted_draft.narrow(0, begin - 1, end - begin)));
    };
    if (decoder.has_mtp()) meet(1, kPrompt + 1);
    for (int32_t p = kPrompt; p < length; ++p) {
      gap = std::max(gap, log_prob_gap(walk.forward(p, p + 1), wanted.narrow(0, p, 1)));
      if (decoder.has_mtp() && p + 1 < length) meet(p + 1, p + 2);
    }
    CHECK(gap < 1e-5);
    CHECK(draft_gap < 1e-5);
    CHECK(gap > 0);  // in another order of sums: were it 0, one path would have been compared with itself
    CHECK((draft_gap > 0) == decoder.has_mtp());
  }
}
