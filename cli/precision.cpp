#include "cli/precision.h"

#include "core/error.h"

namespace r1::cli {

nn::Precision precision_of(const std::string& name, const model::ModelConfig& model, const std::string& where) {
  if (name == "bf16") return nn::Precision::kBF16;
  if (name != "fp8") return nn::Precision::kF32;
  if (!model.mla) {
    throw Error(where, fmt::format("fp8 is for DeepSeek-V3's layers; the model is a {}", to_string(model.family)),
                "use f32 or bf16");
  }
  return nn::Precision::kFp8;
}

}  // namespace r1::cli
