#include "train/optimizer.h"

#include <torch/torch.h>

#include <cmath>

#include "core/error.h"
#include "core/thread_pool.h"
#include "kernels/optimizer.h"

namespace r1::train {
namespace {

double grad_norm(const at::Tensor& grads) {
  if (grads.is_cpu()) return std::sqrt(kernels::sum_of_squares(compute_pool(), grads.const_data_ptr<float>(), grads.numel()));
  return grads.norm(2, at::kDouble).item<double>();
}

// The same update composed of ATen operations, for other devices.
void aten_adamw(const kernels::AdamWArgs& a, const at::Tensor& w, const at::Tensor& m, const at::Tensor& v, const at::Tensor& grad) {
  const auto g = grad * a.grad_scale;
  w.mul_(1 - a.learning_rate * a.weight_decay);
  m.lerp_(g, 1 - a.beta1);
  v.mul_(a.beta2).addcmul_(g, g, 1 - a.beta2);
  const double step_size = a.learning_rate / (1 - std::pow(a.beta1, a.step));
  const auto denominator = (v.sqrt() / std::sqrt(1 - std::pow(a.beta2, a.step))).add_(a.eps);
  w.addcdiv_(m, denominator, -step_size);
}

}  // namespace

OptimizerConfig read_optimizer(const ConfigTable& table, const OptimizerConfig& defaults) {
  return {.beta1 = table.get_double("beta1", defaults.beta1),
          .beta2 = table.get_double("beta2", defaults.beta2),
          .eps = table.get_double("eps", defaults.eps),
          .weight_decay = table.get_double("weight_decay", defaults.weight_decay),
          .max_grad_norm = table.get_double("max_grad_norm", defaults.max_grad_norm)};
}

void validate(const OptimizerConfig& c, const std::string& where) {
  const auto check = [&](bool is_good, std::string_view key, double got, std::string_view allowed) {
    if (!is_good) throw Error(fmt::format("{}.{}", where, key), fmt::format("must be {}, got {}", allowed, got), "use the default");
  };
  check(c.beta1 >= 0 && c.beta1 < 1, "beta1", c.beta1, "in [0, 1)");
  check(c.beta2 >= 0 && c.beta2 < 1, "beta2", c.beta2, "in [0, 1)");
  check(c.eps > 0, "eps", c.eps, "above 0");
  check(c.weight_decay >= 0, "weight_decay", c.weight_decay, "0 or more");
  check(c.max_grad_norm >= 0, "max_grad_norm", c.max_grad_norm, "0 (off) or more");
}

AdamW::AdamW(nn::Parameters& parameters, const OptimizerConfig& config)
    : parameters_(parameters),
      config_(config),
      m_(at::zeros_like(parameters.weights())),
      v_(at::zeros_like(parameters.weights())) {}

AdamW::StepResult AdamW::step(double learning_rate) {
  const auto &w = parameters_.weights(), &grads = parameters_.grads();
  StepResult result{.grad_norm = grad_norm(grads)};
  if (!std::isfinite(result.grad_norm)) {
    parameters_.zero_grads();
    result.is_skipped = true;
    return result;
  }
  const bool clips = config_.max_grad_norm > 0 && result.grad_norm > config_.max_grad_norm;
  const kernels::AdamWArgs args{.learning_rate = static_cast<float>(learning_rate),
                                .beta1 = static_cast<float>(config_.beta1),
                                .beta2 = static_cast<float>(config_.beta2),
                                .eps = static_cast<float>(config_.eps),
                                .weight_decay = static_cast<float>(config_.weight_decay),
                                .step = ++num_steps_,
                                .grad_scale = clips ? static_cast<float>(config_.max_grad_norm / result.grad_norm) : 1.0f};
  if (w.is_cpu()) {
    kernels::adamw(compute_pool(), args, w.mutable_data_ptr<float>(), m_.mutable_data_ptr<float>(),
                   v_.mutable_data_ptr<float>(), grads.const_data_ptr<float>(), w.numel());
  } else {
    aten_adamw(args, w, m_, v_, grads);
  }
  parameters_.zero_grads();
  return result;
}

void AdamW::restore(const at::Tensor& first_moment, const at::Tensor& second_moment, int64_t num_steps) {
  m_.copy_(first_moment);
  v_.copy_(second_moment);
  num_steps_ = num_steps;
}

}  // namespace r1::train
