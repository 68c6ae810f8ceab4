#include "kernels/elementwise.h"
#include "kernels/mla.h"
#include "model/decoder_blocks.h"

namespace r1::model {
namespace {

class GroupedQueryAttention : public DecoderAttention {
 public:
  void load(const DecoderContext& c, const WeightSource& weights, const std::string& prefix) override {
    qkv_.load(c.pool, weights, {prefix + "q_proj.weight", prefix + "k_proj.weight", prefix + "v_proj.weight"},
              c.format);
    output_.load(c.pool, weights, {prefix + "o_proj.weight"}, c.format);
  }

  void run(const DecoderContext& c, const ForwardBatch& batch, const float* x, KvCache& cache, int64_t layer,
           BlockScratch& s, float* y) const override {
    const auto shape = attention_shape(c.config);
    const auto t = std::ssize(batch.token_ids);
    const int64_t hd = c.config.head_dim, q_width = c.config.num_heads * hd, kv_width = c.config.num_kv_heads * hd;
    const int64_t width = q_width + 2 * kv_width;
    float* const qkv = at_least(s.input, t * width);
    float* const attended = at_least(s.attention, t * q_width);
    qkv_.multiply(c.pool, x, t, qkv);
    kernels::rope(c.pool,  // q and k heads lie side by side
                  {.x = qkv,
                   .ldx = width,
                   .num_heads = static_cast<int>(c.config.num_heads + c.config.num_kv_heads),
                   .dim = static_cast<int>(hd),
                   .head_stride = hd,
                   .cos = c.rope.cos.data(),
                   .sin = c.rope.sin.data()},
                  batch.positions);
    const auto kv = cache.layer(layer);
    kernels::store_kv(c.pool, shape, qkv + q_width, width, qkv + q_width + kv_width, width, batch.slots, kv);
    kernels::attention_paged(c.pool, shape, qkv, width, batch.rows, kv, attended, q_width);
    output_.multiply(c.pool, attended, t, y);
  }

  size_t bytes() const override { return qkv_.bytes() + output_.bytes(); }

 private:
  DecoderLinear qkv_, output_;
};

// MLA over the cached latents (kernels/mla.h: AbsorbedHeads).
class LatentAttention : public DecoderAttention {
 public:
  void load(const DecoderContext& c, const WeightSource& weights, const std::string& prefix) override {
    const auto& m = *c.config.mla;
    const bool compresses = m.q_lora_rank > 0;
    input_.load(c.pool, weights,
                {prefix + (compresses ? "q_a_proj.weight" : "q_proj.weight"), prefix + "kv_a_proj_with_mqa.weight"},
                c.format);
    if (compresses) {
      q_norm_ = formats::to_float32(weights.get(prefix + "q_a_layernorm.weight"));
      q_b_.load(c.pool, weights, {prefix + "q_b_proj.weight"}, c.format);
    }
    kv_norm_ = formats::to_float32(weights.get(prefix + "kv_a_layernorm.weight"));
    output_.load(c.pool, weights, {prefix + "o_proj.weight"}, c.format);
    const auto kv_b = formats::to_float32(weights.get(prefix + "kv_b_proj.weight"));
    heads_ = kernels::AbsorbedHeads(c.pool, mla_shape(c.config), kv_b.data());
  }

  void run(const DecoderContext& c, const ForwardBatch& batch, const float* x, KvCache& cache, int64_t layer,
           BlockScratch& s, float* y) const override {
    const auto shape = mla_shape(c.config);
    const auto t = std::ssize(batch.token_ids);
    const int64_t heads = shape.num_heads, rank = shape.latent_rank;
    const int64_t q_width = heads * shape.qk_dim(), width = input_.rows(), k_pe = width - shape.rope_dim;
    float* const input = at_least(s.input, t * width);
    input_.multiply(c.pool, x, t, input);
    rotate(c, batch, input + k_pe, width, 1, 0);
    const float* const latent = normed_part(c, input + k_pe - rank, t, width, kv_norm_, s);
    kernels::store_latents(c.pool, shape, latent, rank, input + k_pe, width, batch.slots, cache.latents(layer));

    float* const q = queries(c, input, t, width, s);
    rotate(c, batch, q + shape.nope_dim, q_width, shape.num_heads, shape.qk_dim());
    float* const values = at_least(s.heads, t * heads * shape.v_dim);
    heads_.attend(c.pool, q, batch.rows, cache.latents(layer), batch.first_context, s.absorbed, values);
    output_.multiply(c.pool, values, t, y);
  }

  size_t bytes() const override {
    return input_.bytes() + output_.bytes() + (q_norm_.empty() ? 0 : q_b_.bytes()) + heads_.bytes();
  }

 private:
  static void rotate(const DecoderContext& c, const ForwardBatch& batch, float* x, int64_t ldx, int num_heads,
                     int64_t stride) {
    const auto& m = *c.config.mla;
    kernels::rope(c.pool,
                  {.x = x,
                   .ldx = ldx,
                   .num_heads = num_heads,
                   .dim = static_cast<int>(m.qk_rope_head_dim),
                   .head_stride = stride,
                   .cos = c.rope.cos.data(),
                   .sin = c.rope.sin.data(),
                   .layout = m.rope_interleave ? kernels::RopeLayout::kInterleaved : kernels::RopeLayout::kHalfSplit},
                  batch.positions);
  }

  // Columns of `x` that a norm's weight spans, as rows of their own, normed.
  static const float* normed_part(const DecoderContext& c, const float* x, int64_t t, int64_t ldx,
                                  const std::vector<float>& weight, BlockScratch& s) {
    const auto d = std::ssize(weight);
    float *const packed = at_least(s.heads, t * d), *const normed = at_least(s.normed, t * d);
    for (int64_t i = 0; i < t; ++i) std::copy_n(x + i * ldx, d, packed + i * d);
    kernels::rms_norm(c.pool, packed, weight.data(), t, d, static_cast<float>(kLatentNormEps), normed, nullptr);
    return normed;
  }

  float* queries(const DecoderContext& c, const float* input, int64_t t, int64_t width, BlockScratch& s) const {
    const int64_t q_width = c.config.num_heads * c.config.head_dim;
    float* const q = at_least(s.queries, t * q_width);
    if (!q_norm_.empty()) {
      q_b_.multiply(c.pool, normed_part(c, input, t, width, q_norm_, s), t, q);
    } else {
      for (int64_t i = 0; i < t; ++i) std::copy_n(input + i * width, q_width, q + i * q_width);
    }
    return q;
  }

  DecoderLinear input_, q_b_, output_;
  std::vector<float> q_norm_, kv_norm_;  // q_norm_ is empty without q_lora_rank
  kernels::AbsorbedHeads heads_;
};

}  // namespace

std::unique_ptr<DecoderAttention> make_attention(const ModelConfig& config) {
  if (config.mla) return std::make_unique<LatentAttention>();
  return std::make_unique<GroupedQueryAttention>();
}

}  // namespace r1::model
