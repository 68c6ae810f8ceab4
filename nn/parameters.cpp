#include "nn/parameters.h"

#include <ATen/ops/zeros.h>
#include <torch/types.h>

#include <cstring>

#include "core/error.h"

namespace r1::nn {
namespace {

constexpr int64_t kAlignment = 16;  // floats: stacks begin on a cache line

// The order in memory: which published names follow each other without a gap.
std::vector<std::vector<std::string>> memory_order(const model::ModelConfig& c) {
  std::vector<std::vector<std::string>> stacks{{"model.embed_tokens.weight"}};
  for (int64_t i = 0; i < c.num_layers; ++i) {
    const auto layer = fmt::format("model.layers.{}.", i), attention = layer + "self_attn.", mlp = layer + "mlp.";
    stacks.push_back({layer + "input_layernorm.weight"});
    stacks.push_back({attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"});
    if (c.qkv_bias) stacks.push_back({attention + "q_proj.bias", attention + "k_proj.bias", attention + "v_proj.bias"});
    stacks.push_back({attention + "o_proj.weight"});
    stacks.push_back({layer + "post_attention_layernorm.weight"});
    stacks.push_back({mlp + "gate_proj.weight", mlp + "up_proj.weight"});
    stacks.push_back({mlp + "down_proj.weight"});
  }
  stacks.push_back({"model.norm.weight"});
  if (!c.tie_word_embeddings) stacks.push_back({"lm_head.weight"});
  return stacks;
}

std::span<const float> floats(const at::Tensor& t) { return {t.const_data_ptr<float>(), static_cast<size_t>(t.numel())}; }

}  // namespace

Parameters::Parameters(const model::ModelConfig& config, at::Device device, Gradients gradients) : config_(config) {
  for (const auto& p : config.parameters()) {
    int64_t count = 1;
    for (const auto size : p.shape) count *= size;
    entries_[p.name] = {.count = count, .shape = p.shape};
  }
  int64_t total = 0;
  for (const auto& stack : memory_order(config)) {
    for (const auto& name : stack) {
      auto& e = entries_.at(name);
      e.offset = total;
      total += e.count;
    }
    total = (total + kAlignment - 1) / kAlignment * kAlignment;
  }
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  weights_ = at::zeros({total}, options);
  if (gradients == Gradients::kSummed) grads_ = at::zeros({total}, options);
}

void Parameters::load(const model::WeightSource& source) {
  for (const auto& [name, e] : entries_) {
    const auto values = formats::to_float32(source.get(name));
    const auto host = torch::from_blob(const_cast<float*>(values.data()), {e.count}, at::kFloat);
    weights_.narrow(0, e.offset, e.count).copy_(host);
  }
}

const Parameters::Entry& Parameters::entry(std::string_view name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) {
    throw Error("nn::Parameters", fmt::format("no parameter '{}'", name), "use a name of ModelConfig::parameters()");
  }
  return it->second;
}

Parameter Parameters::view(int64_t offset, int64_t count, const std::vector<int64_t>& shape) const {
  const auto slice = [&](const at::Tensor& t) { return t.defined() ? t.narrow(0, offset, count).view(shape) : at::Tensor(); };
  return {slice(weights_), slice(grads_)};
}

Parameter Parameters::get(std::string_view name) const {
  const auto& e = entry(name);
  return view(e.offset, e.count, e.shape);
}

Parameter Parameters::stack(std::string_view first, std::string_view last) const {
  const auto &a = entry(first), &b = entry(last);
  const auto count = b.offset + b.count - a.offset;
  auto shape = a.shape;
  shape[0] = -1;  // rows of all
  return view(a.offset, count, shape);
}

std::vector<std::string> Parameters::names() const {
  std::vector<std::string> out;
  for (const auto& [name, e] : entries_) out.push_back(name);
  return out;
}

const model::WeightSource& Parameters::source() {
  host_ = weights_.cpu();  // the same memory on a CPU
  for (const auto& [name, e] : entries_) source_.set(name, e.shape, floats(host_.narrow(0, e.offset, e.count)));
  return source_;
}

uint64_t Parameters::hash() { return model::hash_weights(config_, source()); }

}  // namespace r1::nn
