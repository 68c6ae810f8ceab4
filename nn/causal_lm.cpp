#include "nn/causal_lm.h"

#include <torch/torch.h>

#include <numeric>
#include <utility>

#include "core/error.h"
#include "model/shapes.h"

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
  if (options.precision == Precision::kFp8 && !config.mla) {
    throw Error("nn::CausalLm", "precision fp8 is for DeepSeek-V3's layers", "use precision bf16 or f32");
  }
  parameters_.load(weights);
  anchor_ = torch::zeros({}, at::TensorOptions().device(options.device)).requires_grad_(true);
  bind();
}

Parameter CausalLm::product(Parameter p) const {
  if (options_.precision == Precision::kBF16) p.element = kernels::Element::kBF16;
  return p;
}

// A matrix of a layer, all of which published files hold as FP8.
Parameter CausalLm::layer_product(const Parameter& p) const {
  auto out = product(p);
  out.is_fp8 = options_.precision == Precision::kFp8;
  return out;
}

void CausalLm::bind() {
  const auto as_product = [this](const Parameter& p) { return layer_product(p); };
  embedding_ = parameters_.get("model.embed_tokens.weight");
  final_norm_ = parameters_.get("model.norm.weight");
  head_ = product(config_.tie_word_embeddings ? embedding_ : parameters_.get("lm_head.weight"));
  for (int64_t i = 0; i < config_.num_layers + config_.num_mtp_layers; ++i) {
    if (config_.is_moe_layer(i)) moe_layers_.push_back(i);
    auto layer = bind_layer(parameters_, config_, i, as_product);
    if (i < config_.num_layers) {
      layers_.push_back(std::move(layer));
      continue;
    }
    const auto prefix = fmt::format("model.layers.{}.", i);
    mtp_.push_back({.embedding_norm = parameters_.get(prefix + "enorm.weight"),
                    .hidden_norm = parameters_.get(prefix + "hnorm.weight"),
                    .projection = product(parameters_.get(prefix + "eh_proj.weight")),
                    .final_norm = parameters_.get(prefix + "shared_head.norm.weight"),
                    .layer = std::move(layer)});
  }
}

AttentionInputs CausalLm::attention_inputs(const PackedTokens& tokens) {
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
  AttentionInputs inputs{
      .offsets = tokens.offsets, .positions = tokens.positions, .sharing = tokens.sharing, .cos = cos_, .sin = sin_};
  if (config_.mla) {
    inputs.mla = model::mla_shape(config_);
    inputs.absorbs_latents = options_.latent_attention == LatentAttention::kAbsorbed;
    if (config_.mla->rope_interleave) inputs.layout = kernels::RopeLayout::kInterleaved;
  } else {
    inputs.shape = model::attention_shape(config_);
  }
  return inputs;
}

// hidden -> hidden after model.layers.{index}.
void CausalLm::run(const DecoderLayer& layer, int64_t index, const AttentionInputs& inputs, at::Tensor& hidden,
                   RouterReport* report) const {
  // The closure lives until the backward pass: it takes what it needs by value.
  const auto balanced = report ? inputs.offsets : std::vector<int32_t>{0};
  const auto run_it = [this, layer, inputs, balanced](const at::Tensor& x) {
    return run_layer(layer, config_, x, inputs, balanced, options_.backend);
  };
  const bool recomputes = options_.recompute == Recompute::kLayers && at::GradMode::is_enabled();
  const auto outputs = recomputes ? checkpoint(run_it, hidden) : run_it(hidden);
  hidden = outputs[0];
  if (outputs.size() == 1 || !report) return;
  const auto l = std::ranges::find(moe_layers_, index) - moe_layers_.begin();
  if (!report->loads.defined()) report->loads = torch::zeros({num_moe_layers(), config_.moe->num_experts}, at::kLong);
  report->loads[l].add_(outputs[2]);
  const auto balance = outputs[1].sum();
  report->balance = report->balance.defined() ? report->balance + balance : balance;
}

at::Tensor CausalLm::forward(const PackedTokens& tokens, RouterReport* report) {
  auto inputs = attention_inputs(tokens);
  auto hidden = embedding(anchor_, tokens.token_ids, embedding_);
  // The routers report on sequences: there every one has rows of its own.
  const auto chosen = report ? std::exchange(inputs.sharing, {}).chosen : at::Tensor();
  if (chosen.defined()) hidden = hidden.index_select(0, tokens.sharing.rows);
  for (size_t i = 0; i < layers_.size(); ++i) run(layers_[i], static_cast<int64_t>(i), inputs, hidden, report);
  if (chosen.defined()) hidden = hidden.index_select(0, chosen);
  return rms_norm(hidden, final_norm_, config_.rms_norm_eps, options_.backend);
}

std::vector<MtpDepth> CausalLm::mtp(const PackedTokens& tokens, const at::Tensor& hidden_in, RouterReport* report) {
  if (tokens.sharing.rows.defined()) {
    throw Error("nn::CausalLm::mtp", "sequences share rows of their prefix", "pack them with pack()");
  }
  const auto b = options_.backend;
  const auto eps = config_.rms_norm_eps;
  std::vector<MtpDepth> out;
  MtpDepth before{.hidden = hidden_in, .rows = {}};
  before.rows.resize(static_cast<size_t>(tokens.token_ids.numel()));
  std::iota(before.rows.begin(), before.rows.end(), 0);
  auto offsets = tokens.offsets;
  for (size_t k = 0; k < mtp_.size(); ++k) {
    // Of each segment, every row but the last meets the token k + 1 after it.
    std::vector<int64_t> kept_rows, next_tokens;
    std::vector<int32_t> shorter{0};
    MtpDepth now;
    for (size_t s = 0; s + 1 < offsets.size(); ++s) {
      for (auto r = offsets[s]; r + 1 < offsets[s + 1]; ++r) {
        kept_rows.push_back(r);
        now.rows.push_back(before.rows[r]);
        next_tokens.push_back(before.rows[r] + static_cast<int64_t>(k) + 1);
      }
      if (std::ssize(now.rows) > shorter.back()) shorter.push_back(static_cast<int32_t>(now.rows.size()));
    }
    if (now.rows.empty()) break;
    const auto index = [&](const std::vector<int64_t>& v) { return torch::tensor(v, at::kLong).to(options_.device); };
    const PackedTokens shifted{.token_ids = tokens.token_ids.index_select(0, index(next_tokens)),
                               .positions = tokens.positions.index_select(0, index(now.rows)),
                               .offsets = shorter};
    const auto& m = mtp_[k];
    const auto embedded = rms_norm(embedding(anchor_, shifted.token_ids, embedding_), m.embedding_norm, eps, b);
    const auto previous = rms_norm(before.hidden.index_select(0, index(kept_rows)), m.hidden_norm, eps, b);
    auto hidden = linear(at::cat({embedded, previous}, 1), m.projection, {}, b);
    run(m.layer, config_.num_layers + static_cast<int64_t>(k), attention_inputs(shifted), hidden, report);
    now.hidden = rms_norm(hidden, m.final_norm, eps, b);
    offsets = shorter;
    before = now;
    out.push_back(std::move(now));
  }
  return out;
}

void CausalLm::update_router_bias(const at::Tensor& loads, double speed) {
  at::NoGradGuard no_grad;
  for (int64_t l = 0; l < num_moe_layers(); ++l) {
    const auto bias =
        parameters_.get(fmt::format("model.layers.{}.mlp.gate.e_score_correction_bias", moe_layers_[l])).weight;
    const auto load = loads[l].to(at::kDouble);
    if (load.sum().item<double>() == 0) continue;  // the layer did not run
    bias.add_((load.mean() - load).sign().to(bias.device(), at::kFloat), speed);
  }
}

at::Tensor CausalLm::logits(const at::Tensor& hidden) { return linear(hidden, head_, {}, options_.backend); }

TokenLogProbs CausalLm::log_probs(const at::Tensor& hidden, const at::Tensor& targets, const LogProbOptions& options) {
  return token_log_probs(hidden, head_, targets, options, options_.backend);
}

}  // namespace r1::nn
