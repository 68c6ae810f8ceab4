#pragma once
// All parameters of a model in one flat float32 tensor and their gradients in another: the optimizer, the gradient
// norm, the hash of the weights and a checkpoint are one pass over memory each. Weights that are multiplied together
// (q, k, v; gate, up; a layer's experts) are neighbours, so their stack is a view. Buffers (the gate's bias) lie apart:
// neither the optimizer nor the gradient norm sees them.

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/gemm.h"
#include "model/config.h"
#include "model/weights.h"

namespace r1::nn {

// A weight with the place where its gradient is summed. Both are views into the flat tensors; autograd does not know
// the weight as a leaf: backward passes add to `grad` themselves, without a temporary. A buffer has no gradient.
struct Parameter {
  at::Tensor weight, grad;
  kernels::Element element = kernels::Element::kF32;  // what products with it, forward and backward, round to
  std::vector<int64_t> part_rows;  // of a stack: rows of each published matrix, whose FP8 blocks are its own
  bool is_fp8 = false;             // products with it go through FP8 (nn/fp8_products.h)
};

enum class Gradients { kSummed, kNone };  // kNone: no memory for gradients; for reference policies and evaluation

class Parameters {
 public:
  // Zero weights and gradients for every parameter of the config, on `device`.
  Parameters(const model::ModelConfig& config, at::Device device, Gradients gradients = Gradients::kSummed);

  // Copies every weight from the source (converted to float32).
  void load(const model::WeightSource& source);

  const at::Tensor& weights() const { return weights_; }  // [P], with zero padding between stacks
  const at::Tensor& grads() const { return grads_; }      // [P]; undefined without gradients
  void zero_grads() { grads_.zero_(); }

  // By published name.
  Parameter get(std::string_view name) const;
  // Rows of neighbours, first to last by published name, as one matrix [sum of rows, K] (or vector).
  Parameter stack(std::string_view first, std::string_view last) const;
  bool has(std::string_view name) const { return entries_.find(name) != entries_.end(); }

  // Published names in byte order, without the buffers'.
  std::vector<std::string> names() const;

  // The weights in place as a source for a decoder or a file; on a GPU, a copy on the host made now.
  const model::WeightSource& source();
  // XXH3 over the weights' bytes in the order of config.parameters(): model::hash_weights.
  uint64_t hash();

 private:
  struct Entry {
    int64_t offset = 0, count = 0;
    std::vector<int64_t> shape;
    bool is_buffer = false;
  };
  const Entry& entry(std::string_view name) const;
  void lay_out(const std::vector<std::string>& names, int64_t& total);
  at::Tensor flat(const Entry& e) const;
  std::vector<int64_t> part_rows(int64_t first, int64_t last) const;

  model::ModelConfig config_;
  std::map<std::string, Entry, std::less<>> entries_;
  at::Tensor weights_, grads_, buffers_, host_, host_buffers_;
  model::MemoryWeights source_;
};

}  // namespace r1::nn
