#include "model/kv_cache.h"

#include <sys/mman.h>

#include <cmath>
#include <cstring>

#include "core/error.h"

namespace r1::model {

kernels::AttentionShape attention_shape(const ModelConfig& c) {
  return {.num_heads = static_cast<int>(c.num_heads),
          .num_kv_heads = static_cast<int>(c.num_kv_heads),
          .head_dim = static_cast<int>(c.head_dim),
          .v_head_dim = static_cast<int>(c.head_dim),
          .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.head_dim)))};
}

size_t KvCache::bytes_per_block(const ModelConfig& c) {
  return static_cast<size_t>(c.kv_floats_per_token()) * kernels::kKvBlockTokens * sizeof(float);
}

void KvCache::Unmap::operator()(float* p) const { munmap(p, bytes); }

KvCache::KvCache(const ModelConfig& config, int32_t num_blocks)
    : shape_(attention_shape(config)), num_layers_(config.num_layers), references_(num_blocks, 0) {
  // Mapped, not allocated: pages are taken when first written, so an ample cache costs nothing until it is used.
  const size_t bytes = bytes_per_block(config) * std::max(num_blocks, 1);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw Error("engine.kv_cache_mb", fmt::format("no address space for a KV cache of {} MiB", bytes >> 20),
                "set engine.kv_cache_mb to less");
  }
  memory_ = {static_cast<float*>(memory), Unmap{bytes}};
  free_.reserve(num_blocks);
  for (int32_t block = num_blocks - 1; block >= 0; --block) free_.push_back(block);  // 0 is handed out first
}

int32_t KvCache::allocate() {
  const auto block = free_.back();
  free_.pop_back();
  references_[block] = 1;
  return block;
}

void KvCache::retain(int32_t block) { ++references_[block]; }

void KvCache::release(int32_t block) {
  if (--references_[block] == 0) free_.push_back(block);
}

void KvCache::copy(int32_t from, int32_t to) {
  const auto key_floats = kernels::key_block_floats(shape_), value_floats = kernels::value_block_floats(shape_);
  for (int64_t i = 0; i < num_layers_; ++i) {
    const auto cache = layer(i);
    std::memcpy(cache.keys + to * key_floats, cache.keys + from * key_floats, key_floats * sizeof(float));
    std::memcpy(cache.values + to * value_floats, cache.values + from * value_floats, value_floats * sizeof(float));
  }
}

kernels::KvCacheLayer KvCache::layer(int64_t index) const {
  const auto keys = kernels::key_block_floats(shape_) * num_blocks();
  const auto values = kernels::value_block_floats(shape_) * num_blocks();
  float* const base = memory_.get() + index * (keys + values);
  return {.keys = base, .values = base + keys};
}

}  // namespace r1::model
