// token_log_probs of nn/functional.h: hidden states -> (log-prob, entropy) without [T, V] logits.

#include <torch/torch.h>

#include "core/thread_pool.h"
#include "kernels/softmax.h"
#include "nn/functional.h"
#include "nn/products.h"

namespace r1::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// One chunk's rows of everything.
struct Chunk {
  int64_t begin, rows;
  at::Tensor of(const at::Tensor& t) const { return t.narrow(0, begin, rows); }
};

std::vector<Chunk> chunks_of(int64_t rows, int64_t chunk_rows) {
  std::vector<Chunk> out;
  for (int64_t begin = 0; begin < rows; begin += chunk_rows) out.push_back({begin, std::min(chunk_rows, rows - begin)});
  return out;
}

std::span<const int32_t> ids(const at::Tensor& t) { return {t.const_data_ptr<int32_t>(), static_cast<size_t>(t.numel())}; }

struct LogProbFn : torch::autograd::Function<LogProbFn> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& hidden_in, const Parameter& head,
                               const at::Tensor& targets, const LogProbOptions& options) {
    const auto hidden = hidden_in.contiguous();
    const auto rows = hidden.size(0), vocab = head.weight.size(0);
    const auto inv_temperature = static_cast<float>(1.0 / options.temperature);
    auto log_probs = at::empty({rows}, hidden.options()), entropies = at::empty({rows}, hidden.options());
    const bool keeps_logits = hidden_in.requires_grad() && rows * vocab * 4 <= options.max_logit_bytes;
    const auto logits = at::empty({keeps_logits ? rows : std::min(rows, options.chunk_rows), vocab}, hidden.options());
    for (const auto& chunk : chunks_of(rows, options.chunk_rows)) {
      const auto rows_of_logits = keeps_logits ? chunk.of(logits) : logits.narrow(0, 0, chunk.rows);
      multiply(chunk.of(hidden), head.weight, head.element, rows_of_logits);
      kernels::token_log_probs(compute_pool(), rows_of_logits.const_data_ptr<float>(), chunk.rows, vocab, vocab,
                               inv_temperature, ids(chunk.of(targets)), chunk.of(log_probs).mutable_data_ptr<float>(),
                               chunk.of(entropies).mutable_data_ptr<float>());
    }
    ctx->save_for_backward({hidden, entropies});
    ctx->saved_data["logits"] = keeps_logits ? logits : at::Tensor();
    ctx->saved_data["w"] = head.weight;
    ctx->saved_data["dw"] = head.grad;
    ctx->saved_data["element"] = static_cast<int64_t>(head.element);
    ctx->saved_data["targets"] = targets;
    ctx->saved_data["inv_temperature"] = static_cast<double>(inv_temperature);
    ctx->saved_data["chunk_rows"] = options.chunk_rows;
    return {log_probs, entropies};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto &hidden = saved[0], &entropies = saved[1];
    const auto head = ctx->saved_data["w"].toTensor(), d_head = ctx->saved_data["dw"].toTensor();
    const auto element = static_cast<kernels::Element>(ctx->saved_data["element"].toInt());
    const auto targets = ctx->saved_data["targets"].toTensor(), kept = ctx->saved_data["logits"].toTensor();
    const auto inv_temperature = static_cast<float>(ctx->saved_data["inv_temperature"].toDouble());
    const auto chunk_rows = ctx->saved_data["chunk_rows"].toInt(), vocab = head.size(0);
    const auto d_log_probs = grads[0].defined() ? grads[0].contiguous() : at::zeros_like(entropies);
    const auto d_entropies = grads[1].defined() ? grads[1].contiguous() : at::Tensor();
    const auto scratch = kept.defined() ? at::Tensor()
                                        : at::empty({std::min(hidden.size(0), chunk_rows), vocab}, hidden.options());
    auto d_hidden = at::empty_like(hidden);
    for (const auto& chunk : chunks_of(hidden.size(0), chunk_rows)) {
      const auto logits = kept.defined() ? chunk.of(kept) : scratch.narrow(0, 0, chunk.rows);
      if (!kept.defined()) multiply(chunk.of(hidden), head, element, logits);
      kernels::token_log_probs_backward(compute_pool(), logits.mutable_data_ptr<float>(), chunk.rows, vocab, vocab,
                                        inv_temperature, ids(chunk.of(targets)),
                                        chunk.of(entropies).const_data_ptr<float>(),
                                        chunk.of(d_log_probs).const_data_ptr<float>(),
                                        d_entropies.defined() ? chunk.of(d_entropies).const_data_ptr<float>() : nullptr);
      input_grad(logits, head, element, chunk.of(d_hidden));
      add_weight_grad(logits, chunk.of(hidden), element, d_head);
    }
    ctx->saved_data["logits"] = at::Tensor();
    return {d_hidden, {}, {}, {}};
  }
};

}  // namespace

TokenLogProbs token_log_probs(const at::Tensor& hidden, const Parameter& head, const at::Tensor& targets,
                              const LogProbOptions& options, Backend backend) {
  if (backend == Backend::kKernels) {
    auto both = LogProbFn::apply(hidden, head, targets, options);
    return {both[0], both[1]};
  }
  const auto log_p = at::log_softmax(linear(hidden, head, {}, Backend::kAten) / options.temperature, -1);
  return {log_p.gather(1, targets.to(at::kLong).unsqueeze(1)).squeeze(1), -(log_p.exp() * log_p).sum(-1)};
}

}  // namespace r1::nn
