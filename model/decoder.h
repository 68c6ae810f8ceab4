#pragma once
// The inference twin of nn/causal_lm.h: one packed forward pass over everything that runs (prefill chunks and decodes of
// many sequences, no padding) with a paged KV cache. Free of torch; every kernel is the one training uses, so a row's
// logits are the bits that training computes for the same weights (docs/architecture.md section 4). Only MLA differs: its
// attention runs over cached latents with absorbed projections, equal to training's to about 1e-6.
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
  int32_t first_context = 0;  // tokens at the head of every context that are not attended to (MLA only)
};

// Whether a decoder takes the first MTP module of its model too, for drafts.
enum class Mtp { kLeftOut, kLoaded };

class Decoder {
 public:
  // The source must outlive the decoder: the embedding is read from it in place.
  // Throws Error for Mtp::kLoaded if the model has no MTP module.
  Decoder(const ModelConfig& config, const WeightSource& weights, WeightFormat format, ThreadPool& pool,
          Mtp mtp = Mtp::kLeftOut);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Takes the weights again after the source's values changed in place (same shapes).
  void reload(const WeightSource& weights);

  // Logits [R, V], valid until the next call.
  std::span<const float> forward(const ForwardBatch& batch, KvCache& cache);

  // With Mtp::kLoaded: the last forward()'s hidden states after the final norm, [T, D], valid until the next call.
  std::span<const float> hidden() const;
  // The first MTP module (arXiv:2412.19437v1 section 2.2): row t is token token_ids[t] at position p >= 1, and previous[t]
  // the main model's hidden state (after the final norm) at p - 1; its logits predict the token at p + 1. Keys go to layer
  // num_layers of the cache, at the token's own slot, so that a block's content depends on its tokens and those before
  // alone; slot 0 of a sequence stays unused (first_context must be 1). The rotary positions are one higher than in
  // training, which changes no score.
  std::span<const float> draft(const ForwardBatch& batch, std::span<const float> previous_TD, KvCache& cache);
  bool has_mtp() const { return mtp_ != nullptr; }

  const ModelConfig& config() const { return config_; }
  ThreadPool& pool() const { return pool_; }
  size_t weight_bytes() const;

 private:
  struct Layer;
  struct Module;
  struct Scratch;
  void load(const WeightSource& weights);
  void embed(std::span<const int32_t> token_ids, float* hidden_TD) const;
  void load_layer(Layer& layer, int64_t index, const WeightSource& weights);
  void run_layer(const Layer& layer, int64_t index, const ForwardBatch& batch, KvCache& cache);
  void make_tables(std::span<const int32_t> positions);
  std::span<const float> logits(const float* normed_TD, std::span<const int32_t> rows);

  ModelConfig config_;
  WeightFormat format_;
  ThreadPool& pool_;
  RopeTables rope_;
  formats::TensorView embedding_;  // in the source's memory
  std::vector<float> final_norm_;
  std::vector<Layer> layers_;
  std::unique_ptr<Module> mtp_;
  std::unique_ptr<class DecoderLinear> head_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace r1::model
