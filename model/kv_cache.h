#pragma once
// The paged key/value cache: memory in blocks of 16 tokens, reference counted so that sequences share prompts.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/attention.h"
#include "model/config.h"

namespace r1::model {

// Block ids run from 0; every block holds 16 tokens of every layer. Not thread-safe.
class KvCache {
 public:
  KvCache(const ModelConfig& config, int32_t num_blocks);

  int32_t num_blocks() const { return static_cast<int32_t>(references_.size()); }
  int32_t num_free() const { return static_cast<int32_t>(free_.size()); }
  static size_t bytes_per_block(const ModelConfig& config);

  // A block with one reference. Precondition: num_free() > 0.
  int32_t allocate();
  void retain(int32_t block);
  // Gives one reference back; the block is free when the last is gone.
  void release(int32_t block);
  int32_t references(int32_t block) const { return references_[block]; }
  // Copies the content of all layers.
  void copy(int32_t from, int32_t to);

  kernels::KvCacheLayer layer(int64_t index) const;
  const kernels::AttentionShape& shape() const { return shape_; }

 private:
  struct Unmap { size_t bytes; void operator()(float* p) const; };
  kernels::AttentionShape shape_;
  int64_t num_layers_;
  std::unique_ptr<float, Unmap> memory_;  // [layers][keys of all blocks | values of all blocks]
  std::vector<int32_t> references_, free_;
};

kernels::AttentionShape attention_shape(const ModelConfig& config);

}  // namespace r1::model
