#include "model/weight_sources.h"

#include <array>
#include <cstring>

#include "core/error.h"
#include "formats/quote.h"

namespace r1::model {
namespace {

using formats::TensorView;

struct Name {
  std::string_view published, gguf;
};

constexpr std::array kTop = {
    Name{"model.embed_tokens.weight", "token_embd.weight"},
    Name{"model.norm.weight", "output_norm.weight"},
    Name{"lm_head.weight", "output.weight"},
};

// Within a layer, before ".weight" or ".bias".
constexpr std::array kInLayer = {
    Name{"input_layernorm", "attn_norm"}, Name{"post_attention_layernorm", "ffn_norm"},
    Name{"self_attn.q_proj", "attn_q"},   Name{"self_attn.k_proj", "attn_k"},
    Name{"self_attn.v_proj", "attn_v"},   Name{"self_attn.o_proj", "attn_output"},
    Name{"mlp.gate_proj", "ffn_gate"},    Name{"mlp.up_proj", "ffn_up"},
    Name{"mlp.down_proj", "ffn_down"},
};

constexpr Name kLayer = {"model.layers.", "blk."};

using Side = std::string_view Name::*;

// The name on side `to` of a name on side `from`.
std::optional<std::string> translate(std::string_view name, Side from, Side to) {
  for (const Name& entry : kTop) {
    if (name == entry.*from) return std::string(entry.*to);
  }
  if (!name.starts_with(kLayer.*from)) return std::nullopt;
  name.remove_prefix((kLayer.*from).size());
  const size_t number_end = name.find('.');
  const size_t kind_start = name.rfind('.');
  if (number_end == name.npos || kind_start <= number_end) return std::nullopt;
  const std::string_view number = name.substr(0, number_end), kind = name.substr(kind_start);
  const std::string_view middle = name.substr(number_end + 1, kind_start - number_end - 1);
  if (kind != ".weight" && kind != ".bias") return std::nullopt;
  for (const Name& entry : kInLayer) {
    if (middle == entry.*from) return fmt::format("{}{}.{}{}", kLayer.*to, number, entry.*to, kind);
  }
  return std::nullopt;
}

[[noreturn]] void refuse_missing(const WeightSource& source, std::string_view name) {
  throw Error(source.describe(), fmt::format("tensor {} is missing", formats::quote_name(name)),
              "fetch the model's files again");
}

// GGUF's converters interleave the two halves of each head of a Llama's q and k (formats.md 6.2): the file's row
// head * head_dim + 2 i + p is the published row head * head_dim + p * head_dim / 2 + i. Rows are moved whole, so any
// dtype will do.
std::vector<std::byte> unpermute(const TensorView& t, int64_t num_heads) {
  const int64_t rows = t.shape[0], head_dim = rows / num_heads, half = head_dim / 2;
  const size_t row_bytes = t.bytes.size() / static_cast<size_t>(rows);
  std::vector<std::byte> out(t.bytes.size());
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t head = row / head_dim, p = row % head_dim / half, i = row % half;
    const int64_t source = head * head_dim + 2 * i + p;
    std::memcpy(out.data() + static_cast<size_t>(row) * row_bytes,
                t.bytes.data() + static_cast<size_t>(source) * row_bytes, row_bytes);
  }
  return out;
}

}  // namespace

std::optional<std::string> gguf_name(std::string_view published) {
  return translate(published, &Name::published, &Name::gguf);
}
std::optional<std::string> published_name(std::string_view gguf) {
  return translate(gguf, &Name::gguf, &Name::published);
}

TensorView FolderWeights::get(std::string_view name) const {
  const TensorView* found = folder_.find(name);
  if (found == nullptr) refuse_missing(*this, name);
  const TensorView* scales = fp8_ && found->dtype == formats::DType::kF8E4M3 ? folder_.find(scale_name(name)) : nullptr;
  if (scales == nullptr) return *found;
  TensorView view = *found;
  view.scales = {.bytes = scales->bytes,
                 .block_rows = fp8_->block_rows,
                 .block_cols = fp8_->block_cols,
                 .cols = view.shape.back()};
  return view;
}

GgufWeights::GgufWeights(const std::filesystem::path& path) : file_(path), config_(config_from_gguf(file_)) {}

const TensorView* GgufWeights::find(std::string_view name) const {
  const auto stored = gguf_name(name);
  return stored ? file_.find(*stored) : nullptr;
}

int64_t GgufWeights::permuted_heads(std::string_view name) const {
  if (config_.family != Family::kLlama) return 0;
  if (name.find(".self_attn.q_proj.") != name.npos) return config_.num_heads;
  if (name.find(".self_attn.k_proj.") != name.npos) return config_.num_kv_heads;
  return 0;
}

TensorView GgufWeights::get(std::string_view name) const {
  const TensorView* found = find(name);
  if (found == nullptr) refuse_missing(*this, name);
  TensorView view = *found;
  view.name = name;
  const int64_t num_heads = permuted_heads(name);
  // A tensor of a wrong shape is handed out as it lies, for open_model() to name.
  if (num_heads == 0 || view.shape.empty() || view.shape[0] != num_heads * config_.head_dim) return view;
  const std::scoped_lock lock(mutex_);
  auto it = unpermuted_.find(name);
  if (it == unpermuted_.end()) it = unpermuted_.emplace(name, unpermute(view, num_heads)).first;
  view.bytes = it->second;
  return view;
}

std::vector<std::string> GgufWeights::names() const {
  std::vector<std::string> names;
  names.reserve(file_.tensors().size());
  for (const TensorView& t : file_.tensors()) names.push_back(published_name(t.name).value_or(t.name));
  return names;
}

}  // namespace r1::model
