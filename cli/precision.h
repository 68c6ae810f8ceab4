#pragma once
// The precision of training's products, as recipes and options name it.

#include <string>

#include "model/config.h"
#include "nn/causal_lm.h"

namespace r1::cli {

// "f32", "bf16", or for DeepSeek-V3 "fp8"; `where` is the key or option that says so. Throws Error for fp8 and other
// models.
nn::Precision precision_of(const std::string& name, const model::ModelConfig& model, const std::string& where);

}  // namespace r1::cli
