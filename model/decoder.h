#pragma once
// The inference twin of nn/causal_lm.h: one packed forward pass over everything that runs (prefill chunks and decodes of
// many sequences, no padding) with a paged KV cache. Free of torch; every kernel is the one training uses, so a row's
// logits are the bits that training computes for the same weights (docs/architecture.md section 4).
//
// Shape letters: T = packed rows, D = hidden size, V = vocabulary, R = rows whose logits are wanted.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "kernels/attention.h"
#include "model/config.h"
#include "model/kv_cache.h"
#include "model/weights.h"

namespace r1::model {

// How the decoder holds matrices. kBF16 rounds activations too, on their way into each product. kNative keeps GGUF's Q4_0, Q4_1 and Q8_0 as they are (activations become int8 on the way:
// fast, and not the bits of training) and widens any other type to float32.
enum class WeightFormat { kF32, kBF16, kNative };

// One forward pass. Row t is token token_ids[t] at positions[t] of its sequence, stored to slots[t] (kernels/attention.h)
// and attending as rows[t] says. logit_rows: which rows' logits are wanted, ascending.
struct ForwardBatch {
  std::span<const int32_t> token_ids;
  std::span<const int32_t> positions;
  std::span<const int64_t> slots;
  std::span<const kernels::PagedRow> rows;
  std::span<const int32_t> logit_rows;
};

class Decoder {
 public:
  // The source must outlive the decoder: the embedding is read from it in place.
  Decoder(const ModelConfig& config, const WeightSource& weights, WeightFormat format, ThreadPool& pool);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Takes the weights again after the source's values changed in place (same shapes).
  void reload(const WeightSource& weights);

  // Logits [R, V], valid until the next call.
  std::span<const float> forward(const ForwardBatch& batch, KvCache& cache);

  const ModelConfig& config() const { return config_; }
  ThreadPool& pool() const { return pool_; }
  size_t weight_bytes() const;

 private:
  struct Layer;
  struct Scratch;
  void load(const WeightSource& weights);
  void embed(std::span<const int32_t> token_ids, float* hidden_TD) const;
  void run_layer(const Layer& layer, const ForwardBatch& batch, kernels::KvCacheLayer cache);

  ModelConfig config_;
  WeightFormat format_;
  ThreadPool& pool_;
  RopeTables rope_;
  formats::TensorView embedding_;  // in the source's memory
  std::vector<float> final_norm_;
  std::vector<Layer> layers_;
  std::unique_ptr<class DecoderLinear> head_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace r1::model
