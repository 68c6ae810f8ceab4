#pragma once
// AdamW over a model's flat parameters, with clipping by the global norm.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "core/config.h"
#include "nn/parameters.h"

namespace r1::train {

struct OptimizerConfig {
  double beta1 = 0.9;
  double beta2 = 0.95;          // DeepSeek-V3 section 4.2
  double eps = 1e-8;
  double weight_decay = 0.0;    // on every parameter
  double max_grad_norm = 1.0;   // 0: no clipping
};
OptimizerConfig read_optimizer(const ConfigTable& table, const OptimizerConfig& defaults);
void validate(const OptimizerConfig& config, const std::string& where);

class AdamW {
 public:
  // Moments are zeros like the parameters; the parameters must outlive this.
  AdamW(nn::Parameters& parameters, const OptimizerConfig& config);

  struct StepResult {
    double grad_norm = 0;     // before clipping; NaN or infinity means that nothing was updated
    bool is_skipped = false;  // the gradient was not finite
  };
  // One update at `learning_rate` (arXiv:1711.05101), then zero gradients.
  StepResult step(double learning_rate);

  int64_t num_steps() const { return num_steps_; }

  // State for checkpoints.
  at::Tensor first_moment() const { return m_; }
  at::Tensor second_moment() const { return v_; }
  void restore(const at::Tensor& first_moment, const at::Tensor& second_moment, int64_t num_steps);

 private:
  nn::Parameters& parameters_;
  OptimizerConfig config_;
  at::Tensor m_, v_;
  int64_t num_steps_ = 0;
};

}  // namespace r1::train
