#pragma once
// What the operations of nn/ share: floats of tensors, and weights as leaves for those composed of ATen operations.
// Private to nn/.

#include <torch/torch.h>

#include <memory>

#include "nn/parameters.h"

namespace r1::nn {

inline const float* in(const at::Tensor& t) { return t.const_data_ptr<float>(); }
inline float* out(const at::Tensor& t) { return t.mutable_data_ptr<float>(); }

// The ATen twins reach the weights as leaves whose .grad is the view to be summed into.
inline at::Tensor leaf(const Parameter& p) {
  auto w = p.weight.detach().requires_grad_(at::GradMode::is_enabled() && p.grad.defined());
  w.mutable_grad() = p.grad;
  return w;
}

// Anything of ours inside an AutogradContext: IValues hold no shared_ptr, a capsule does.
template <typename T>
struct Capsule : torch::CustomClassHolder {
  explicit Capsule(T v) : value(std::move(v)) {}
  T value;
};
template <typename T>
void keep(torch::autograd::AutogradContext* ctx, T value) {
  ctx->saved_data["kept"] = c10::IValue::make_capsule(c10::make_intrusive<Capsule<T>>(std::move(value)));
}
template <typename T>
T& kept(torch::autograd::AutogradContext* ctx) {
  return static_cast<Capsule<T>*>(ctx->saved_data["kept"].toCapsule().get())->value;
}

}  // namespace r1::nn
