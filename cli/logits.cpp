// r1 logits: logits and gradient norms of given token ids, for parity checks against other implementations.

#include <torch/torch.h>

#include <cmath>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/error.h"
#include "formats/safetensors.h"
#include "nn/causal_lm.h"

namespace r1::cli {
namespace {

using formats::DType;
using formats::TensorView;

// Token ids [B, T] from a safetensors file.
std::vector<std::vector<int32_t>> read_input_ids(const std::string& path, int64_t vocab_size) {
  const formats::SafetensorsFile file(path);
  const auto* view = file.find("input_ids");
  if (!view || view->dtype != DType::kI64 || view->shape.size() != 2) {
    throw Error(path, "no tensor input_ids of type I64 and shape [B, T]", "write token ids under that name");
  }
  const auto* ids = reinterpret_cast<const int64_t*>(view->bytes.data());
  std::vector<std::vector<int32_t>> rows(view->shape[0]);
  for (auto& row : rows) {
    for (int64_t t = 0; t < view->shape[1]; ++t, ++ids) {
      if (*ids < 0 || *ids >= vocab_size) {
        throw Error(path, fmt::format("input_ids holds {}, the vocabulary has {}", *ids, vocab_size), "use the model's own tokenizer");
      }
      row.push_back(static_cast<int32_t>(*ids));
    }
  }
  return rows;
}

// Mean next-token cross-entropy over all rows; leaves gradients in the parameters.
double loss_with_grads(nn::CausalLm& model, const at::Tensor& hidden, const std::vector<std::vector<int32_t>>& rows) {
  std::vector<int64_t> predictors;
  std::vector<int32_t> targets;
  int64_t begin = 0;
  for (const auto& row : rows) {
    for (size_t t = 0; t + 1 < row.size(); ++t) {
      predictors.push_back(begin + static_cast<int64_t>(t));
      targets.push_back(row[t + 1]);
    }
    begin += std::ssize(row);
  }
  const auto log_probs = model.log_probs(hidden.index_select(0, torch::tensor(predictors, at::kLong)),
                                         torch::tensor(targets, at::kInt), {}).log_probs;
  const auto loss = -log_probs.mean();
  loss.backward();
  return loss.item<double>();
}

std::vector<double> grad_norms(nn::CausalLm& model) {
  std::vector<double> norms;
  for (const auto& name : model.parameters().names()) {
    norms.push_back(model.parameters().get(name).grad.to(at::kDouble).norm().item<double>());
  }
  return norms;
}

TensorView view(const std::string& name, DType dtype, std::vector<int64_t> shape, const void* data, size_t bytes) {
  return {.name = name, .dtype = dtype, .shape = std::move(shape), .bytes = {static_cast<const std::byte*>(data), bytes}};
}

}  // namespace

int run_logits(int argc, const char* const* argv) {
  std::string path, input, output, precision = "f32";
  bool wants_grads = false;
  int num_threads = 0;
  CLI::App app("Reads input_ids [B, T] and writes logits [B, T, V] in float32.", "r1 logits");
  app.add_option("model", path, "Hugging Face folder or .gguf file")->required();
  app.add_option("input", input, "safetensors file with input_ids I64 [B, T]")->required();
  app.add_option("output", output, "safetensors file to write")->required();
  app.add_flag("--grads", wants_grads, "also loss (mean next-token cross-entropy) and grad_norms F64, one for each parameter by published name in byte order");
  app.add_option("--precision", precision, "f32 or bf16 products")->check(CLI::IsMember({"f32", "bf16"}));
  add_threads(app, num_threads);
  if (const auto status = parse(app, argc, argv)) return *status;
  apply_threads(num_threads);

  const auto loaded = model::open_model(path);
  nn::CausalLm model(loaded.config, *loaded.weights,
                     {.precision = precision == "bf16" ? nn::Precision::kBF16 : nn::Precision::kF32});
  const auto rows = read_input_ids(input, loaded.config.vocab_size);
  const std::vector<std::span<const int32_t>> sequences(rows.begin(), rows.end());
  at::AutoGradMode grads(wants_grads);
  const auto hidden = model.forward(nn::pack(sequences));
  const auto logits = [&] {
    at::NoGradGuard no_grad;
    return model.logits(hidden.detach()).contiguous();
  }();
  const auto b = std::ssize(rows), t = rows.empty() ? 0 : std::ssize(rows[0]);
  std::vector<TensorView> tensors{
      view("logits", DType::kF32, {b, t, loaded.config.vocab_size}, logits.const_data_ptr(), logits.nbytes())};
  std::vector<double> norms;
  float loss = 0;
  if (wants_grads) {
    loss = static_cast<float>(loss_with_grads(model, hidden, rows));
    norms = grad_norms(model);
    tensors.push_back(view("loss", DType::kF32, {1}, &loss, sizeof(loss)));
    tensors.push_back(view("grad_norms", DType::kF64, {std::ssize(norms)}, norms.data(), norms.size() * sizeof(double)));
  }
  formats::write_safetensors(output, tensors);
  return 0;
}

}  // namespace r1::cli
