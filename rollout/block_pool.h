#pragma once
// Blocks of the KV cache with a prefix cache over them: full blocks of finished prompts stay findable by their tokens
// until their memory is needed.

#include <cstdint>
#include <list>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/kv_cache.h"

namespace r1::rollout {

// Not thread-safe.
class BlockPool {
 public:
  BlockPool(const model::ModelConfig& config, int32_t num_blocks, int64_t num_mtp_layers = 0)
      : cache_(config, num_blocks, num_mtp_layers) {}

  // Blocks that allocate() can give: free ones and cached ones that nobody else holds.
  int32_t num_available() const { return cache_.num_free() + num_idle_; }
  int32_t num_blocks() const { return cache_.num_blocks(); }

  // A block with one reference, evicting the least recently used cached block if none is free. Needs num_available() > 0.
  int32_t allocate();
  void retain(int32_t block);
  void release(int32_t block);
  void copy(int32_t from, int32_t to) { cache_.copy(from, to); }

  // The longest run of cached full blocks at the head of `tokens`, each retained for the caller.
  std::vector<int32_t> find_prefix(std::span<const int32_t> tokens);
  // Makes the full blocks of `tokens` findable; blocks[i] holds tokens 16 i .. 16 i + 15.
  void publish(std::span<const int32_t> tokens, std::span<const int32_t> blocks);
  // Forgets every cached prefix: the weights changed.
  void clear_prefixes();

  int64_t num_prefix_hits() const { return num_hits_; }        // tokens found
  int64_t num_prefix_queries() const { return num_queries_; }  // tokens asked for

  model::KvCache& cache() { return cache_; }

 private:
  struct Cached {
    int32_t block;
    uint64_t parent;
    std::vector<int32_t> tokens;  // compared on a hit: a hash alone could lie
    std::list<uint64_t>::iterator recency;
  };
  bool is_idle(int32_t block) const { return cached_blocks_.contains(block) && cache_.references(block) == 1; }
  void evict_one();

  model::KvCache cache_;
  std::unordered_map<uint64_t, Cached> by_hash_;
  std::unordered_map<int32_t, uint64_t> cached_blocks_;  // block -> its hash
  std::list<uint64_t> recency_;                          // least recently used first
  int32_t num_idle_ = 0;                                 // cached blocks that only the prefix cache holds
  int64_t num_hits_ = 0, num_queries_ = 0;
};

}  // namespace r1::rollout
