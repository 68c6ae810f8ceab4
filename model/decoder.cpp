#include "model/decoder.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/elementwise.h"
#include "model/decoder_linear.h"

namespace r1::model {

struct Decoder::Layer {
  std::vector<float> attention_norm, mlp_norm;
  DecoderLinear qkv, output, gate_up, down;
};

// Activations of one pass; grown as needed and kept.
struct Decoder::Scratch {
  std::vector<float> hidden, normed, qkv, attention, projected, gate_up, mlp, selected, logits;

  static float* at_least(std::vector<float>& buffer, int64_t count) {
    if (static_cast<int64_t>(buffer.size()) < count) buffer.resize(count);
    return buffer.data();
  }
};

Decoder::Decoder(const ModelConfig& config, const WeightSource& weights, WeightFormat format, ThreadPool& pool)
    : config_(config), format_(format), pool_(pool), scratch_(std::make_unique<Scratch>()) {
  layers_.resize(config.num_layers);
  head_ = std::make_unique<DecoderLinear>();
  load(weights);
}

Decoder::~Decoder() = default;

void Decoder::reload(const WeightSource& weights) { load(weights); }

void Decoder::load(const WeightSource& weights) {
  const auto vector_of = [&](const std::string& name) { return formats::to_float32(weights.get(name)); };
  embedding_ = weights.get("model.embed_tokens.weight");
  final_norm_ = vector_of("model.norm.weight");
  head_->load(pool_, weights, {config_.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight"}, format_);
  for (int64_t i = 0; i < config_.num_layers; ++i) {
    const auto prefix = fmt::format("model.layers.{}.", i);
    auto& layer = layers_[i];
    layer.attention_norm = vector_of(prefix + "input_layernorm.weight");
    layer.mlp_norm = vector_of(prefix + "post_attention_layernorm.weight");
    const auto attention = prefix + "self_attn.", mlp = prefix + "mlp.";
    layer.qkv.load(pool_, weights,
                   {attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"}, format_);
    layer.output.load(pool_, weights, {attention + "o_proj.weight"}, format_);
    layer.gate_up.load(pool_, weights, {mlp + "gate_proj.weight", mlp + "up_proj.weight"}, format_);
    layer.down.load(pool_, weights, {mlp + "down_proj.weight"}, format_);
  }
}

void Decoder::embed(std::span<const int32_t> token_ids, float* hidden_TD) const {
  const auto dim = config_.hidden_size;
  const auto row_bytes = embedding_.bytes.size() / config_.vocab_size;
  pool_.parallel_for(std::ssize(token_ids), 64, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const formats::TensorView row{.name = embedding_.name,
                                    .dtype = embedding_.dtype,
                                    .shape = {dim},
                                    .bytes = embedding_.bytes.subspan(token_ids[t] * row_bytes, row_bytes)};
      formats::to_float32(row, {hidden_TD + t * dim, static_cast<size_t>(dim)});
    }
  });
}

void Decoder::run_layer(const Layer& layer, const ForwardBatch& batch, kernels::KvCacheLayer cache) {
  auto& s = *scratch_;
  const auto shape = attention_shape(config_);
  const auto t = std::ssize(batch.token_ids);
  const int64_t d = config_.hidden_size, f = config_.intermediate_size, hd = config_.head_dim;
  const int64_t q_width = config_.num_heads * hd, kv_width = config_.num_kv_heads * hd, width = q_width + 2 * kv_width;
  const auto eps = static_cast<float>(config_.rms_norm_eps);
  float* const qkv = s.qkv.data();

  kernels::rms_norm(pool_, s.hidden.data(), layer.attention_norm.data(), t, d, eps, s.normed.data(), nullptr);
  layer.qkv.multiply(pool_, s.normed.data(), t, qkv);
  kernels::rope(pool_,  // q and k heads lie side by side
                {.x = qkv, .ldx = width, .num_heads = static_cast<int>(config_.num_heads + config_.num_kv_heads),
                 .dim = static_cast<int>(hd), .head_stride = hd, .cos = rope_.cos.data(), .sin = rope_.sin.data()},
                batch.positions);
  kernels::store_kv(pool_, shape, qkv + q_width, width, qkv + q_width + kv_width, width, batch.slots, cache);
  kernels::attention_paged(pool_, shape, qkv, width, batch.rows, cache, s.attention.data(), q_width);
  layer.output.multiply(pool_, s.attention.data(), t, s.projected.data());
  kernels::add_in_place(pool_, s.hidden.data(), s.projected.data(), t * d);

  kernels::rms_norm(pool_, s.hidden.data(), layer.mlp_norm.data(), t, d, eps, s.normed.data(), nullptr);
  layer.gate_up.multiply(pool_, s.normed.data(), t, s.gate_up.data());
  kernels::swiglu(pool_, s.gate_up.data(), t, f, s.mlp.data());
  layer.down.multiply(pool_, s.mlp.data(), t, s.projected.data());
  kernels::add_in_place(pool_, s.hidden.data(), s.projected.data(), t * d);
}

std::span<const float> Decoder::forward(const ForwardBatch& batch, KvCache& cache) {
  auto& s = *scratch_;
  const auto t = std::ssize(batch.token_ids), r = std::ssize(batch.logit_rows);
  const int64_t d = config_.hidden_size, f = config_.intermediate_size, v = config_.vocab_size;
  const int64_t q_width = config_.num_heads * config_.head_dim;
  if (t == 0) return {};
  const auto last = *std::max_element(batch.positions.begin(), batch.positions.end());
  if (last >= rope_.num_positions) {
    rope_ = make_rope_tables(config_, std::min(config_.max_position, std::max<int64_t>(256, 2 * (last + 1))));
  }
  float* const hidden = Scratch::at_least(s.hidden, t * d);
  Scratch::at_least(s.normed, t * d);
  Scratch::at_least(s.qkv, t * (q_width + 2 * config_.num_kv_heads * config_.head_dim));
  Scratch::at_least(s.attention, t * q_width);
  Scratch::at_least(s.projected, t * d);
  Scratch::at_least(s.gate_up, t * 2 * f);
  Scratch::at_least(s.mlp, t * f);
  embed(batch.token_ids, hidden);
  for (int64_t i = 0; i < config_.num_layers; ++i) run_layer(layers_[i], batch, cache.layer(i));

  float* const selected = Scratch::at_least(s.selected, r * d);
  for (int64_t i = 0; i < r; ++i) std::copy_n(hidden + batch.logit_rows[i] * d, d, selected + i * d);
  kernels::rms_norm(pool_, selected, final_norm_.data(), r, d, static_cast<float>(config_.rms_norm_eps), s.normed.data(),
                    nullptr);
  float* const logits = Scratch::at_least(s.logits, r * v);
  head_->multiply(pool_, s.normed.data(), r, logits);
  return {logits, static_cast<size_t>(r * v)};
}

size_t Decoder::weight_bytes() const {
  size_t bytes = head_->bytes();
  for (const auto& layer : layers_) {
    bytes += layer.qkv.bytes() + layer.output.bytes() + layer.gate_up.bytes() + layer.down.bytes();
  }
  return bytes;
}

}  // namespace r1::model
