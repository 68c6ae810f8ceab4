#include <fmt/format.h>

#include "kernels/elementwise.h"
#include "kernels/moe.h"
#include "model/decoder_blocks.h"

namespace r1::model {
namespace {

class DenseMlp : public DecoderMlp {
 public:
  void load(const DecoderContext& c, const WeightSource& weights, const std::string& prefix) override {
    gate_up_.load(c.pool, weights, {prefix + "gate_proj.weight", prefix + "up_proj.weight"}, c.format);
    down_.load(c.pool, weights, {prefix + "down_proj.weight"}, c.format);
  }
  void run(const DecoderContext& c, const float* x, int64_t t, BlockScratch& s, float* y) const override {
    const int64_t f = down_.cols();
    float *const gate_up = at_least(s.gate_up, t * 2 * f), *const activated = at_least(s.mlp, t * f);
    gate_up_.multiply(c.pool, x, t, gate_up);
    kernels::swiglu(c.pool, gate_up, t, f, activated);
    down_.multiply(c.pool, activated, t, y);
  }
  size_t bytes() const override { return gate_up_.bytes() + down_.bytes(); }

 private:
  DecoderLinear gate_up_, down_;
};

// Routed experts, tokens sorted by expert, and shared ones; the kernels and the order of sums of nn/moe.cpp.
class MoeMlp : public DecoderMlp {
 public:
  void load(const DecoderContext& c, const WeightSource& weights, const std::string& prefix) override {
    gate_.load(c.pool, weights, {prefix + "gate.weight"}, WeightFormat::kF32);  // never rounded, as in training
    bias_ = formats::to_float32(weights.get(prefix + "gate.e_score_correction_bias"));
    experts_.resize(static_cast<size_t>(c.config.moe->num_experts));
    for (size_t e = 0; e < experts_.size(); ++e) {
      const auto expert = fmt::format("{}experts.{}.", prefix, e);
      experts_[e].gate_up.load(c.pool, weights, {expert + "gate_proj.weight", expert + "up_proj.weight"}, c.format);
      experts_[e].down.load(c.pool, weights, {expert + "down_proj.weight"}, c.format);
    }
    if (c.config.moe->num_shared_experts == 0) return;
    if (!shared_) shared_ = std::make_unique<DenseMlp>();
    shared_->load(c, weights, prefix + "shared_experts.");
  }

  void run(const DecoderContext& c, const float* x, int64_t t, BlockScratch& s, float* y) const override {
    const auto router = router_shape(c.config);
    const int64_t d = c.config.hidden_size, f = c.config.moe->intermediate_size, slots = t * router.top_k;
    float *const logits = at_least(s.gate_logits, t * router.num_experts), *const scores = at_least(
                                                                               s.scores, t * router.num_experts);
    float* const weights = at_least(s.weights, slots);
    if (std::ssize(s.experts) < slots) s.experts.resize(static_cast<size_t>(slots));
    gate_.multiply(c.pool, x, t, logits);
    kernels::route(c.pool, router, logits, bias_.data(), t, scores, s.experts.data(), weights);
    const auto plan =
        kernels::plan_experts(std::span(s.experts).first(static_cast<size_t>(slots)), router.top_k, router.num_experts);

    float *const gathered = at_least(s.gathered, slots * d), *const rows = at_least(s.rows, slots * d);
    float *const gate_up = at_least(s.gate_up, slots * 2 * f), *const activated = at_least(s.mlp, slots * f);
    kernels::gather_rows(c.pool, x, d, plan.tokens, gathered);
    kernels::for_each_expert(c.pool, plan, [&](int32_t e, int64_t begin, int64_t count) {
      experts_[e].gate_up.multiply(c.pool, gathered + begin * d, count, gate_up + begin * 2 * f);
      kernels::swiglu(c.pool, gate_up + begin * 2 * f, count, f, activated + begin * f);
      experts_[e].down.multiply(c.pool, activated + begin * f, count, rows + begin * d);
    });
    kernels::combine_rows(c.pool, rows, d, plan, router.top_k, weights, y);
    if (!shared_) return;
    float* const shared = at_least(s.shared, t * d);
    shared_->run(c, x, t, s, shared);
    kernels::add_in_place(c.pool, y, shared, t * d);
  }

  size_t bytes() const override {
    size_t bytes = gate_.bytes() + (shared_ ? shared_->bytes() : 0);
    for (const auto& e : experts_) bytes += e.gate_up.bytes() + e.down.bytes();
    return bytes;
  }

 private:
  struct Expert {
    DecoderLinear gate_up, down;
  };
  DecoderLinear gate_;
  std::vector<float> bias_;
  std::vector<Expert> experts_;
  std::unique_ptr<DenseMlp> shared_;
};

}  // namespace

std::unique_ptr<DecoderMlp> make_mlp(const ModelConfig& config, int64_t layer) {
  if (config.is_moe_layer(layer)) return std::make_unique<MoeMlp>();
  return std::make_unique<DenseMlp>();
}

}  // namespace r1::model
