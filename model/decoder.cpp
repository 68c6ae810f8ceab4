#include "model/decoder.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/elementwise.h"
#include "model/decoder_blocks.h"
#include "model/decoder_linear.h"

namespace r1::model {

struct Decoder::Layer {
  std::vector<float> attention_norm, mlp_norm;
  std::unique_ptr<DecoderAttention> attention;
  std::unique_ptr<DecoderMlp> mlp;
};

// Activations of one pass; grown as needed and kept.
struct Decoder::Scratch {
  std::vector<float> hidden, normed, projected, final_hidden, pair, selected, logits;
  BlockScratch blocks;
};

struct Decoder::Module {
  std::vector<float> embedding_norm, hidden_norm, final_norm;
  DecoderLinear projection;
  Layer layer;
};

Decoder::Decoder(const ModelConfig& config, const WeightSource& weights, WeightFormat format, ThreadPool& pool, Mtp mtp)
    : config_(config), format_(format), pool_(pool), scratch_(std::make_unique<Scratch>()) {
  const auto make_layer = [&](int64_t i) {
    return Layer{.attention = make_attention(config), .mlp = make_mlp(config, i)};
  };
  for (int64_t i = 0; i < config.num_layers; ++i) layers_.push_back(make_layer(i));
  head_ = std::make_unique<DecoderLinear>();
  if (mtp == Mtp::kLoaded) {
    if (config.num_mtp_layers == 0) {
      throw Error("decoder", "the model has no MTP module to draft with", "set engine.num_draft_tokens to 0");
    }
    mtp_ = std::make_unique<Module>(Module{.layer = make_layer(config.num_layers)});
  }
  load(weights);
}

Decoder::~Decoder() = default;

void Decoder::reload(const WeightSource& weights) { load(weights); }

void Decoder::load_layer(Layer& layer, int64_t index, const WeightSource& weights) {
  const auto prefix = fmt::format("model.layers.{}.", index);
  const DecoderContext context{config_, format_, pool_, rope_};
  layer.attention_norm = formats::to_float32(weights.get(prefix + "input_layernorm.weight"));
  layer.mlp_norm = formats::to_float32(weights.get(prefix + "post_attention_layernorm.weight"));
  layer.attention->load(context, weights, prefix + "self_attn.");
  layer.mlp->load(context, weights, prefix + "mlp.");
}

void Decoder::load(const WeightSource& weights) {
  embedding_ = weights.get("model.embed_tokens.weight");
  final_norm_ = formats::to_float32(weights.get("model.norm.weight"));
  head_->load(pool_, weights, {config_.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight"}, format_);
  for (int64_t i = 0; i < config_.num_layers; ++i) load_layer(layers_[i], i, weights);
  if (!mtp_) return;
  const auto prefix = fmt::format("model.layers.{}.", config_.num_layers);
  mtp_->embedding_norm = formats::to_float32(weights.get(prefix + "enorm.weight"));
  mtp_->hidden_norm = formats::to_float32(weights.get(prefix + "hnorm.weight"));
  mtp_->final_norm = formats::to_float32(weights.get(prefix + "shared_head.norm.weight"));
  mtp_->projection.load(pool_, weights, {prefix + "eh_proj.weight"}, format_);
  load_layer(mtp_->layer, config_.num_layers, weights);
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

void Decoder::run_layer(const Layer& layer, int64_t index, const ForwardBatch& batch, KvCache& cache) {
  auto& s = *scratch_;
  const DecoderContext context{config_, format_, pool_, rope_};
  const auto t = std::ssize(batch.token_ids);
  const int64_t d = config_.hidden_size;
  const auto eps = static_cast<float>(config_.rms_norm_eps);
  float *const hidden = s.hidden.data(), *const normed = s.normed.data(), *const projected = s.projected.data();
  kernels::rms_norm(pool_, hidden, layer.attention_norm.data(), t, d, eps, normed, nullptr);
  layer.attention->run(context, batch, normed, cache, index, s.blocks, projected);
  kernels::add_in_place(pool_, hidden, projected, t * d);
  kernels::rms_norm(pool_, hidden, layer.mlp_norm.data(), t, d, eps, normed, nullptr);
  layer.mlp->run(context, normed, t, s.blocks, projected);
  kernels::add_in_place(pool_, hidden, projected, t * d);
}

void Decoder::make_tables(std::span<const int32_t> positions) {
  const auto last = *std::max_element(positions.begin(), positions.end());
  if (last < rope_.num_positions) return;
  rope_ = make_rope_tables(config_, std::min(config_.max_position, std::max<int64_t>(256, 2 * (last + 1))));
}

// Of rows of normed hidden states.
std::span<const float> Decoder::logits(const float* normed_TD, std::span<const int32_t> rows) {
  auto& s = *scratch_;
  const auto r = std::ssize(rows);
  const int64_t d = config_.hidden_size, v = config_.vocab_size;
  float* const selected = at_least(s.selected, r * d);
  for (int64_t i = 0; i < r; ++i) std::copy_n(normed_TD + rows[i] * d, d, selected + i * d);
  float* const logits = at_least(s.logits, r * v);
  head_->multiply(pool_, selected, r, logits);
  return {logits, static_cast<size_t>(r * v)};
}

std::span<const float> Decoder::forward(const ForwardBatch& batch, KvCache& cache) {
  auto& s = *scratch_;
  const auto t = std::ssize(batch.token_ids);
  const int64_t d = config_.hidden_size;
  if (t == 0) return {};
  make_tables(batch.positions);
  float* const hidden = at_least(s.hidden, t * d);
  at_least(s.normed, t * d);
  at_least(s.projected, t * d);
  embed(batch.token_ids, hidden);
  for (int64_t i = 0; i < config_.num_layers; ++i) run_layer(layers_[i], i, batch, cache);

  const auto eps = static_cast<float>(config_.rms_norm_eps);
  if (mtp_) {  // drafts want all rows' hidden states
    s.final_hidden.resize(static_cast<size_t>(t * d));
    kernels::rms_norm(pool_, hidden, final_norm_.data(), t, d, eps, s.final_hidden.data(), nullptr);
    return logits(s.final_hidden.data(), batch.logit_rows);
  }
  const auto r = std::ssize(batch.logit_rows);
  float *const selected = at_least(s.selected, r * d), *const normed = s.normed.data();
  for (int64_t i = 0; i < r; ++i) std::copy_n(hidden + batch.logit_rows[i] * d, d, selected + i * d);
  kernels::rms_norm(pool_, selected, final_norm_.data(), r, d, eps, normed, nullptr);
  float* const out = at_least(s.logits, r * config_.vocab_size);
  head_->multiply(pool_, normed, r, out);
  return {out, static_cast<size_t>(r * config_.vocab_size)};
}

std::span<const float> Decoder::hidden() const { return scratch_->final_hidden; }

std::span<const float> Decoder::draft(const ForwardBatch& batch, std::span<const float> previous_TD, KvCache& cache) {
  auto& s = *scratch_;
  const auto t = std::ssize(batch.token_ids);
  const int64_t d = config_.hidden_size;
  const auto eps = static_cast<float>(config_.rms_norm_eps);
  if (t == 0) return {};
  make_tables(batch.positions);
  float *const hidden = at_least(s.hidden, t * d), *const normed = at_least(s.normed, t * d);
  at_least(s.projected, t * d);
  float* const pair = at_least(s.pair, t * 2 * d);
  const auto place = [&](const float* x, const std::vector<float>& weight, int64_t offset) {
    kernels::rms_norm(pool_, x, weight.data(), t, d, eps, normed, nullptr);
    for (int64_t i = 0; i < t; ++i) std::copy_n(normed + i * d, d, pair + i * 2 * d + offset);
  };
  embed(batch.token_ids, hidden);
  place(hidden, mtp_->embedding_norm, 0);  // [embedding ; hidden], as the released weights want it
  place(previous_TD.data(), mtp_->hidden_norm, d);
  mtp_->projection.multiply(pool_, pair, t, hidden);
  run_layer(mtp_->layer, config_.num_layers, batch, cache);
  kernels::rms_norm(pool_, hidden, mtp_->final_norm.data(), t, d, eps, normed, nullptr);
  return logits(normed, batch.logit_rows);
}

size_t Decoder::weight_bytes() const {
  size_t bytes = head_->bytes();
  for (const auto& layer : layers_) bytes += layer.attention->bytes() + layer.mlp->bytes();
  if (mtp_) bytes += mtp_->projection.bytes() + mtp_->layer.attention->bytes() + mtp_->layer.mlp->bytes();
  return bytes;
}

}  // namespace r1::model
