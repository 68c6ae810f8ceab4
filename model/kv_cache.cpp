#include "model/kv_cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace r1::model {

size_t KvCache::bytes_per_block(const ModelConfig& c, int64_t num_mtp_layers) {
  return static_cast<size_t>(c.kv_floats_per_layer() * (c.num_layers + num_mtp_layers)) * kernels::kKvBlockTokens * sizeof(float);
}

void KvCache::Unmap::operator()(float* p) const { munmap(p, bytes); }

KvCache::KvCache(const ModelConfig& config, int32_t num_blocks, int64_t num_mtp_layers)
    : shape_(attention_shape(config)),
      num_layers_(config.num_layers + num_mtp_layers),
      layer_block_floats_(config.kv_floats_per_layer() * kernels::kKvBlockTokens),
      is_latent_(config.mla.has_value()),
      references_(num_blocks, 0) {
  // Mapped, not allocated: pages are taken when first written, so an ample cache costs nothing until it is used.
  const size_t bytes = bytes_per_block(config, num_mtp_layers) * std::max(num_blocks, 1);
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
  const auto key_floats = is_latent_ ? layer_block_floats_ : kernels::key_block_floats(shape_);
  const auto value_floats = layer_block_floats_ - key_floats;
  for (int64_t i = 0; i < num_layers_; ++i) {
    float *const keys = latents(i), *const values = keys + key_floats * num_blocks();
    std::memcpy(keys + to * key_floats, keys + from * key_floats, key_floats * sizeof(float));
    std::memcpy(values + to * value_floats, values + from * value_floats, value_floats * sizeof(float));
  }
}

kernels::KvCacheLayer KvCache::layer(int64_t index) const {
  float* const base = latents(index);
  return {.keys = base, .values = base + kernels::key_block_floats(shape_) * num_blocks()};
}

float* KvCache::latents(int64_t index) const { return memory_.get() + index * layer_block_floats_ * num_blocks(); }

}  // namespace r1::model
