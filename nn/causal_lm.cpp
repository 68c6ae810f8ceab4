#include "nn/causal_lm.h"

#include <torch/torch.h>

#include "core/error.h"

namespace r1::nn {

PackedTokens pack(std::span<const std::span<const int32_t>> sequences, at::Device device) {
  std::vector<SharedPrefix> groups;
  for (const auto& s : sequences) groups.push_back({.prefix = s, .continuations = {{}}});
  return pack_shared(groups, device);
}

PackedTokens pack_shared(std::span<const SharedPrefix> groups, at::Device device) {
  std::vector<int32_t> ids, positions;
  std::vector<int64_t> rows, chosen;
  PackedTokens out{.offsets = {0}};
  const auto attend = [&](int64_t row, int64_t position) {
    rows.push_back(row);
    positions.push_back(static_cast<int32_t>(position));
  };
  for (const auto& g : groups) {
    const auto begin = std::ssize(ids), length = std::ssize(g.prefix);
    for (int64_t i = 0; i < length; ++i) chosen.push_back(std::ssize(rows) + i);
    ids.insert(ids.end(), g.prefix.begin(), g.prefix.end());
    for (const auto& continuation : g.continuations) {
      for (int64_t i = 0; i < length; ++i) attend(begin + i, i);
      for (int64_t i = 0; i < std::ssize(continuation); ++i) {
        chosen.push_back(std::ssize(rows));
        attend(std::ssize(ids) + i, length + i);
      }
      ids.insert(ids.end(), continuation.begin(), continuation.end());
      out.offsets.push_back(static_cast<int32_t>(rows.size()));
    }
  }
  out.token_ids = torch::tensor(ids, at::kInt).to(device);
  out.positions = torch::tensor(positions, at::kInt).to(device);
  if (rows.size() > ids.size()) {
    out.sharing = {torch::tensor(rows, at::kLong).to(device), torch::tensor(chosen, at::kLong).to(device)};
  }
  return out;
}

CausalLm::CausalLm(const model::ModelConfig& config, const model::WeightSource& weights, const CausalLmOptions& options)
    : config_(config), options_(options), parameters_(config, options.device, options.gradients) {
  if (!options.device.is_cpu()) options_.backend = Backend::kAten;
  parameters_.load(weights);
  anchor_ = torch::zeros({}, at::TensorOptions().device(options.device)).requires_grad_(true);
  bind();
}

Parameter CausalLm::product(Parameter p) const {
  if (options_.precision == Precision::kBF16) p.element = kernels::Element::kBF16;
  return p;
}

void CausalLm::bind() {
  embedding_ = parameters_.get("model.embed_tokens.weight");
  final_norm_ = parameters_.get("model.norm.weight");
  head_ = product(config_.tie_word_embeddings ? embedding_ : parameters_.get("lm_head.weight"));
  for (int64_t i = 0; i < config_.num_layers; ++i) {
    const auto prefix = fmt::format("model.layers.{}.", i), attention = prefix + "self_attn.", mlp = prefix + "mlp.";
    layers_.push_back({.attention_norm = parameters_.get(prefix + "input_layernorm.weight"),
                       .qkv = product(parameters_.stack(attention + "q_proj.weight", attention + "v_proj.weight")),
                       .qkv_bias = config_.qkv_bias
                                       ? parameters_.stack(attention + "q_proj.bias", attention + "v_proj.bias")
                                       : Parameter{},
                       .output = product(parameters_.get(attention + "o_proj.weight")),
                       .mlp_norm = parameters_.get(prefix + "post_attention_layernorm.weight"),
                       .gate_up = product(parameters_.stack(mlp + "gate_proj.weight", mlp + "up_proj.weight")),
                       .down = product(parameters_.get(mlp + "down_proj.weight"))});
  }
}

at::Tensor CausalLm::run_layer(const Layer& layer, const at::Tensor& hidden, const AttentionInputs& inputs) const {
  const auto b = options_.backend;
  const auto normed = rms_norm(hidden, layer.attention_norm, config_.rms_norm_eps, b);
  const auto attended = rope_attention(linear(normed, layer.qkv, layer.qkv_bias, b), inputs, b);
  const auto middle = hidden + linear(attended, layer.output, {}, b);
  const auto gate_up = linear(rms_norm(middle, layer.mlp_norm, config_.rms_norm_eps, b), layer.gate_up, {}, b);
  return middle + linear(swiglu(gate_up, b), layer.down, {}, b);
}

at::Tensor CausalLm::forward(const PackedTokens& tokens) {
  int32_t longest = 1;
  for (size_t i = 0; i + 1 < tokens.offsets.size(); ++i)
    longest = std::max(longest, tokens.offsets[i + 1] - tokens.offsets[i]);
  if (longest > config_.max_position) {
    throw Error("nn::CausalLm",
                fmt::format("a sequence of {} tokens, the model reads at most {}", longest, config_.max_position),
                "shorten the sequence, or choose a model with a longer context");
  }
  if (!cos_.defined() || cos_.size(0) < longest) {
    const auto tables =
        model::make_rope_tables(config_, std::min(config_.max_position, std::max<int64_t>(256, 2 * longest)));
    const auto tensor = [&](const std::vector<float>& v) {
      return torch::tensor(v).view({tables.num_positions, tables.half_dim}).to(options_.device);
    };
    cos_ = tensor(tables.cos);
    sin_ = tensor(tables.sin);
  }
  const AttentionInputs inputs{
      .offsets = tokens.offsets,
      .positions = tokens.positions,
      .sharing = tokens.sharing,
      .cos = cos_,
      .sin = sin_,
      .shape = {.num_heads = static_cast<int>(config_.num_heads),
                .num_kv_heads = static_cast<int>(config_.num_kv_heads),
                .head_dim = static_cast<int>(config_.head_dim),
                .v_head_dim = static_cast<int>(config_.head_dim),
                .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(config_.head_dim)))}};
  auto hidden = embedding(anchor_, tokens.token_ids, embedding_);
  for (const auto& layer : layers_) {
    // The closure lives until the backward pass: it takes what it needs by value.
    const auto run = [this, layer, inputs](const at::Tensor& x) { return run_layer(layer, x, inputs); };
    const bool recomputes = options_.recompute == Recompute::kLayers && at::GradMode::is_enabled();
    hidden = recomputes ? checkpoint(run, hidden) : run(hidden);
  }
  return rms_norm(hidden, final_norm_, config_.rms_norm_eps, options_.backend);
}

at::Tensor CausalLm::logits(const at::Tensor& hidden) { return linear(hidden, head_, {}, options_.backend); }

TokenLogProbs CausalLm::log_probs(const at::Tensor& hidden, const at::Tensor& targets, const LogProbOptions& options) {
  return token_log_probs(hidden, head_, targets, options, options_.backend);
}

}  // namespace r1::nn
