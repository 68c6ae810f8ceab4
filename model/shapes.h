#pragma once
// A config's shapes as the kernels want them; shared by the decoder and by training.

#include "kernels/attention.h"
#include "kernels/mla.h"
#include "kernels/moe.h"
#include "model/config.h"

namespace r1::model {

kernels::AttentionShape attention_shape(const ModelConfig& config);
kernels::MlaShape mla_shape(const ModelConfig& config);
kernels::RouterShape router_shape(const ModelConfig& config);

// transformers and DeepSeek's own code give the norms of the latents this epsilon, whatever rms_norm_eps says.
constexpr double kLatentNormEps = 1e-6;

}  // namespace r1::model
