#pragma once
// What DeepSeek-V3 adds to ModelConfig; shared by the files of model/ that read, check and write configs.

#include <string>
#include <vector>

#include "core/json.h"
#include "model/config.h"

namespace r1::model {

// Tensors of one main layer, dense or MoE.
void add_v3_layer(std::vector<ModelConfig::Parameter>& out, const ModelConfig& config, int64_t layer);
// Tensors of MTP module `module` (from 0): a whole layer and what feeds it; not the copies of embedding and head.
void add_mtp_module(std::vector<ModelConfig::Parameter>& out, const ModelConfig& config, int64_t module);

// Throws Error naming the key for V3 configs that do not add up.
void validate_v3(const ModelConfig& config, const std::string& where);

// Reads and writes the keys that only deepseek_v3 has; rope_scaling is read by read_yarn().
void read_v3(ModelConfig& config, const boost::json::object& o, const std::string& where);
YarnRopeScaling read_yarn(const boost::json::object& rope, const std::string& where);
void write_v3(boost::json::object& o, const ModelConfig& config);

// transformers' get_mscale: 0.1 mscale ln(factor) + 1, and 1 for factors up to 1.
double yarn_mscale(double factor, double mscale);

}  // namespace r1::model
