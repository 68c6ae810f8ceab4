#pragma once
// The paged key/value cache: memory in blocks of 16 tokens, reference counted so that sequences share prompts. Of MLA it
// holds latents: kv_lora_rank + qk_rope_head_dim floats a token a layer (kernels/mla.h).

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/attention.h"
#include "model/config.h"
#include "model/shapes.h"

namespace r1::model {

// Block ids run from 0; every block holds 16 tokens of every layer. Not thread-safe.
class KvCache {
 public:
  // num_mtp_layers: further layers behind the model's own, for MTP modules that draft.
  KvCache(const ModelConfig& config, int32_t num_blocks, int64_t num_mtp_layers = 0);

  int32_t num_blocks() const { return static_cast<int32_t>(references_.size()); }
  int32_t num_free() const { return static_cast<int32_t>(free_.size()); }
  static size_t bytes_per_block(const ModelConfig& config, int64_t num_mtp_layers = 0);

  // A block with one reference. Precondition: num_free() > 0.
  int32_t allocate();
  void retain(int32_t block);
  // Gives one reference back; the block is free when the last is gone.
  void release(int32_t block);
  int32_t references(int32_t block) const { return references_[block]; }
  // Copies the content of all layers.
  void copy(int32_t from, int32_t to);

  // Of a config without MLA: keys and values; else latents, blocks of [latent_dim][16].
  kernels::KvCacheLayer layer(int64_t index) const;
  float* latents(int64_t index) const;
  const kernels::AttentionShape& shape() const { return shape_; }

 private:
  struct Unmap { size_t bytes; void operator()(float* p) const; };
  kernels::AttentionShape shape_;
  int64_t num_layers_, layer_block_floats_;
  bool is_latent_;
  std::unique_ptr<float, Unmap> memory_;  // [layers][keys of all blocks | values of all blocks], or latents
  std::vector<int32_t> references_, free_;
};

}  // namespace r1::model
