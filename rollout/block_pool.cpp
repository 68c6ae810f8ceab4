#include "rollout/block_pool.h"

#include <algorithm>

#include "core/hash.h"

namespace r1::rollout {
namespace {

constexpr size_t kBlock = kernels::kKvBlockTokens;

uint64_t block_hash(std::span<const int32_t> tokens, uint64_t parent) { return hash64(std::as_bytes(tokens), parent); }

}  // namespace

int32_t BlockPool::allocate() {
  if (cache_.num_free() == 0) evict_one();
  return cache_.allocate();
}

void BlockPool::retain(int32_t block) {
  if (is_idle(block)) --num_idle_;
  cache_.retain(block);
}

void BlockPool::release(int32_t block) {
  cache_.release(block);
  if (is_idle(block)) ++num_idle_;
}

void BlockPool::evict_one() {
  for (auto it = recency_.begin(); it != recency_.end(); ++it) {
    const auto found = by_hash_.find(*it);
    const auto block = found->second.block;
    if (!is_idle(block)) continue;
    --num_idle_;
    cached_blocks_.erase(block);
    by_hash_.erase(found);
    recency_.erase(it);
    cache_.release(block);
    return;
  }
}

std::vector<int32_t> BlockPool::find_prefix(std::span<const int32_t> tokens) {
  std::vector<int32_t> blocks;
  uint64_t parent = 0;
  num_queries_ += std::ssize(tokens);
  for (size_t begin = 0; begin + kBlock <= tokens.size(); begin += kBlock) {
    const auto part = tokens.subspan(begin, kBlock);
    const auto hash = block_hash(part, parent);
    const auto it = by_hash_.find(hash);
    if (it == by_hash_.end() || it->second.parent != parent || !std::ranges::equal(it->second.tokens, part)) break;
    recency_.splice(recency_.end(), recency_, it->second.recency);
    retain(it->second.block);
    blocks.push_back(it->second.block);
    parent = hash;
  }
  num_hits_ += std::ssize(blocks) * static_cast<int64_t>(kBlock);
  return blocks;
}

void BlockPool::publish(std::span<const int32_t> tokens, std::span<const int32_t> blocks) {
  uint64_t parent = 0;
  for (size_t i = 0; (i + 1) * kBlock <= tokens.size(); ++i) {
    const auto part = tokens.subspan(i * kBlock, kBlock);
    const auto hash = block_hash(part, parent);
    if (!by_hash_.contains(hash) && !cached_blocks_.contains(blocks[i])) {
      cache_.retain(blocks[i]);
      cached_blocks_[blocks[i]] = hash;
      by_hash_[hash] = {blocks[i], parent, {part.begin(), part.end()}, recency_.insert(recency_.end(), hash)};
    }
    parent = hash;
  }
}

void BlockPool::clear_prefixes() {
  for (const auto& [block, hash] : cached_blocks_) cache_.release(block);
  by_hash_.clear();
  cached_blocks_.clear();
  recency_.clear();
  num_idle_ = 0;
}

}  // namespace r1::rollout
