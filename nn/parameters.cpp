#include "nn/parameters.h"

#include <ATen/ops/zeros.h>
#include <torch/types.h>

#include <cstring>

#include "core/error.h"

namespace r1::nn {
namespace {

constexpr int64_t kAlignment = 16;  // floats: stacks begin on a cache line

using Stacks = std::vector<std::vector<std::string>>;  // published names that follow each other without a gap

void add_attention(Stacks& stacks, const model::ModelConfig& c, const std::string& prefix) {
  const auto name = [&](const char* part) { return prefix + "self_attn." + part; };
  if (!c.mla) {
    stacks.push_back({name("q_proj.weight"), name("k_proj.weight"), name("v_proj.weight")});
    if (c.qkv_bias) stacks.push_back({name("q_proj.bias"), name("k_proj.bias"), name("v_proj.bias")});
  } else {
    const bool compresses = c.mla->q_lora_rank > 0;
    stacks.push_back({name(compresses ? "q_a_proj.weight" : "q_proj.weight"), name("kv_a_proj_with_mqa.weight")});
    if (compresses) stacks.insert(stacks.end(), {{name("q_a_layernorm.weight")}, {name("q_b_proj.weight")}});
    stacks.insert(stacks.end(), {{name("kv_a_layernorm.weight")}, {name("kv_b_proj.weight")}});
  }
  stacks.push_back({name("o_proj.weight")});
}

void add_mlp(Stacks& stacks, const std::string& prefix) {
  stacks.push_back({prefix + "gate_proj.weight", prefix + "up_proj.weight"});
  stacks.push_back({prefix + "down_proj.weight"});
}

void add_experts(Stacks& stacks, const model::MoeConfig& moe, const std::string& prefix) {
  stacks.push_back({prefix + "gate.weight"});
  auto& gate_up = stacks.emplace_back();
  std::vector<std::string> down;
  for (int64_t e = 0; e < moe.num_experts; ++e) {
    const auto expert = fmt::format("{}experts.{}.", prefix, e);
    gate_up.insert(gate_up.end(), {expert + "gate_proj.weight", expert + "up_proj.weight"});
    down.push_back(expert + "down_proj.weight");
  }
  stacks.push_back(std::move(down));
  if (moe.num_shared_experts > 0) add_mlp(stacks, prefix + "shared_experts.");
}

void add_layer(Stacks& stacks, const model::ModelConfig& c, int64_t index) {
  const auto prefix = fmt::format("model.layers.{}.", index);
  stacks.push_back({prefix + "input_layernorm.weight"});
  add_attention(stacks, c, prefix);
  stacks.push_back({prefix + "post_attention_layernorm.weight"});
  if (c.is_moe_layer(index))
    add_experts(stacks, *c.moe, prefix + "mlp.");
  else
    add_mlp(stacks, prefix + "mlp.");
}

// The order of all weights in memory.
Stacks memory_order(const model::ModelConfig& c) {
  Stacks stacks{{"model.embed_tokens.weight"}};
  for (int64_t i = 0; i < c.num_layers; ++i) add_layer(stacks, c, i);
  stacks.push_back({"model.norm.weight"});
  if (!c.tie_word_embeddings) stacks.push_back({"lm_head.weight"});
  for (int64_t i = c.num_layers; i < c.num_layers + c.num_mtp_layers; ++i) {
    const auto prefix = fmt::format("model.layers.{}.", i);
    stacks.insert(stacks.end(), {{prefix + "enorm.weight"}, {prefix + "hnorm.weight"}, {prefix + "eh_proj.weight"}});
    add_layer(stacks, c, i);
    stacks.push_back({prefix + "shared_head.norm.weight"});
  }
  return stacks;
}

std::span<const float> floats(const at::Tensor& t) {
  return {t.const_data_ptr<float>(), static_cast<size_t>(t.numel())};
}

}  // namespace

Parameters::Parameters(const model::ModelConfig& config, at::Device device, Gradients gradients) : config_(config) {
  int64_t total = 0, buffers = 0;
  for (const auto& p : config.parameters()) {
    int64_t count = 1;
    for (const auto size : p.shape) count *= size;
    entries_[p.name] = {.count = count, .shape = p.shape, .is_buffer = p.is_buffer};
    if (p.is_buffer) lay_out({p.name}, buffers);
  }
  for (const auto& stack : memory_order(config)) lay_out(stack, total);
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  weights_ = at::zeros({total}, options);
  buffers_ = at::zeros({buffers}, options);
  if (gradients == Gradients::kSummed) grads_ = at::zeros({total}, options);
}

// Gives the names places one after the other from `total` on, which moves behind them.
void Parameters::lay_out(const std::vector<std::string>& names, int64_t& total) {
  for (const auto& name : names) {
    auto& e = entries_.at(name);
    e.offset = total;
    total += e.count;
  }
  total = (total + kAlignment - 1) / kAlignment * kAlignment;
}

at::Tensor Parameters::flat(const Entry& e) const {
  return (e.is_buffer ? buffers_ : weights_).narrow(0, e.offset, e.count);
}

void Parameters::load(const model::WeightSource& source) {
  for (const auto& [name, e] : entries_) {
    const auto values = formats::to_float32(source.get(name));
    const auto host = torch::from_blob(const_cast<float*>(values.data()), {e.count}, at::kFloat);
    flat(e).copy_(host);
  }
}

const Parameters::Entry& Parameters::entry(std::string_view name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) {
    throw Error("nn::Parameters", fmt::format("no parameter '{}'", name), "use a name of ModelConfig::parameters()");
  }
  return it->second;
}

Parameter Parameters::get(std::string_view name) const {
  const auto& e = entry(name);
  const bool has_grad = !e.is_buffer && grads_.defined();
  return {.weight = flat(e).view(e.shape),
          .grad = has_grad ? grads_.narrow(0, e.offset, e.count).view(e.shape) : at::Tensor(),
          .part_rows = {e.shape[0]}};
}

Parameter Parameters::stack(std::string_view first, std::string_view last) const {
  const auto &a = entry(first), &b = entry(last);
  const auto count = b.offset + b.count - a.offset;
  auto shape = a.shape;
  shape[0] = -1;  // rows of all
  const auto slice = [&](const at::Tensor& t) {
    return t.defined() ? t.narrow(0, a.offset, count).view(shape) : at::Tensor();
  };
  return {.weight = slice(weights_), .grad = slice(grads_), .part_rows = part_rows(a.offset, b.offset)};
}

// Rows of the weights that begin between two offsets, in the order of memory.
std::vector<int64_t> Parameters::part_rows(int64_t first, int64_t last) const {
  std::map<int64_t, int64_t> rows;
  for (const auto& [name, e] : entries_) {
    if (!e.is_buffer && e.offset >= first && e.offset <= last) rows[e.offset] = e.shape[0];
  }
  std::vector<int64_t> out;
  for (const auto& [offset, count] : rows) out.push_back(count);
  return out;
}

std::vector<std::string> Parameters::names() const {
  std::vector<std::string> out;
  for (const auto& [name, e] : entries_) {
    if (!e.is_buffer) out.push_back(name);
  }
  return out;
}

const model::WeightSource& Parameters::source() {
  host_ = weights_.cpu();  // the same memory on a CPU
  host_buffers_ = buffers_.cpu();
  for (const auto& [name, e] : entries_) {
    source_.set(name, e.shape, floats((e.is_buffer ? host_buffers_ : host_).narrow(0, e.offset, e.count)));
  }
  return source_;
}

uint64_t Parameters::hash() { return model::hash_weights(config_, source()); }

}  // namespace r1::nn
