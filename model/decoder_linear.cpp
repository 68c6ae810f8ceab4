#include "model/decoder_linear.h"

#include <cstring>
#include <optional>

namespace r1::model {
namespace {

using formats::DType;
using formats::TensorView;

std::optional<kernels::QuantType> kernel_type(DType type) {
  switch (type) {
    case DType::kQ4_0: return kernels::QuantType::kQ4_0;
    case DType::kQ4_1: return kernels::QuantType::kQ4_1;
    case DType::kQ8_0: return kernels::QuantType::kQ8_0;
    default: return {};
  }
}

// The blocks of all weights in one buffer, if they have one type that a kernel reads.
std::optional<kernels::QuantMatrix> stack_blocks(ThreadPool& pool, std::span<const TensorView> parts, int64_t rows) {
  const auto type = kernel_type(parts[0].dtype);
  const auto cols = parts[0].shape[1];
  if (!type || cols % 32 != 0) return {};
  std::vector<std::byte> blocks;
  for (const auto& part : parts) {
    if (part.dtype != parts[0].dtype) return {};
    blocks.insert(blocks.end(), part.bytes.begin(), part.bytes.end());
  }
  return kernels::QuantMatrix(pool, *type, blocks.data(), rows, cols);
}

std::vector<float> stack_floats(std::span<const TensorView> parts) {
  size_t count = 0;
  for (const auto& part : parts) count += part.num_elements();
  std::vector<float> out(count);
  size_t at = 0;
  for (const auto& part : parts) {
    formats::to_float32(part, std::span(out).subspan(at, part.num_elements()));
    at += part.num_elements();
  }
  return out;
}

// "x.weight" -> "x.bias"
std::string bias_name(const std::string& weight) { return weight.substr(0, weight.rfind('.')) + ".bias"; }

}  // namespace

void DecoderLinear::load(ThreadPool& pool, const WeightSource& weights, const std::vector<std::string>& names,
                         WeightFormat format) {
  std::vector<TensorView> parts, biases;
  int64_t rows = 0;
  for (const auto& name : names) {
    parts.push_back(weights.get(name));
    rows += parts.back().shape[0];
    if (weights.has(bias_name(name))) biases.push_back(weights.get(bias_name(name)));
  }
  bias_ = stack_floats(biases);
  if (format == WeightFormat::kNative) {
    if (auto quantised = stack_blocks(pool, parts, rows)) {
      matrix_ = std::move(*quantised);
      return;
    }
  }
  const auto element = format == WeightFormat::kBF16 ? kernels::Element::kBF16 : kernels::Element::kF32;
  const bool is_float_in_memory = parts.size() == 1 && parts[0].dtype == DType::kF32;  // then no copy on the way
  std::vector<float> stacked;
  if (!is_float_in_memory) stacked = stack_floats(parts);
  const float* source = is_float_in_memory ? reinterpret_cast<const float*>(parts[0].bytes.data()) : stacked.data();
  if (auto* packed = std::get_if<kernels::PackedMatrix>(&matrix_); packed && packed->rows() == rows) {
    packed->repack(pool, source);
  } else {
    matrix_ = kernels::PackedMatrix(pool, source, rows, parts[0].shape[1], element);
  }
}

void DecoderLinear::multiply(ThreadPool& pool, const float* x, int64_t t, float* y) const {
  const float* bias = bias_.empty() ? nullptr : bias_.data();
  std::visit([&](const auto& m) { m.multiply(pool, x, t, m.cols(), bias, y, m.rows()); }, matrix_);
}

int64_t DecoderLinear::rows() const {
  return std::visit([](const auto& m) { return m.rows(); }, matrix_);
}
int64_t DecoderLinear::cols() const {
  return std::visit([](const auto& m) { return m.cols(); }, matrix_);
}
size_t DecoderLinear::bytes() const {
  return std::visit([](const auto& m) { return m.bytes(); }, matrix_) + bias_.size() * sizeof(float);
}

}  // namespace r1::model
