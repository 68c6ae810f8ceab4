// r1 logits: logits and gradient norms of given token ids, for parity checks against other implementations.

#include <torch/torch.h>

#include <numeric>

#include "cli/commands.h"
#include "cli/device.h"
#include "cli/options.h"
#include "cli/precision.h"
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
  if (view->num_elements() == 0) throw Error(path, "input_ids is empty", "write at least one token");
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

// Mean cross-entropy of predicting the token `ahead` after each of the packed `rows`, where there is one; row r of `hidden`
// belongs to packed row rows[r].
at::Tensor mean_loss(nn::CausalLm& model, const at::Tensor& hidden, const std::vector<int64_t>& rows, int64_t ahead,
                     const std::vector<std::vector<int32_t>>& sequences) {
  std::vector<int64_t> predictors;
  std::vector<int32_t> targets;
  const auto length = std::ssize(sequences[0]);  // all are equally long
  for (size_t r = 0; r < rows.size(); ++r) {
    if (rows[r] % length + ahead >= length) continue;
    predictors.push_back(static_cast<int64_t>(r));
    targets.push_back(sequences[rows[r] / length][rows[r] % length + ahead]);
  }
  const auto device = hidden.device();
  const auto predicting = hidden.index_select(0, torch::tensor(predictors, at::kLong).to(device));
  return -model.log_probs(predicting, torch::tensor(targets, at::kInt).to(device), {}).log_probs.mean();
}

// By published name in byte order; MTP modules' only if asked for.
std::vector<double> grad_norms(nn::CausalLm& model, bool has_mtp) {
  const auto is_mtp = [&](const std::string& name) {
    for (int64_t i = 0; i < model.config().num_mtp_layers; ++i) {
      if (name.starts_with(fmt::format("model.layers.{}.", model.config().num_layers + i))) return true;
    }
    return false;
  };
  std::vector<double> norms;
  for (const auto& name : model.parameters().names()) {
    if (!has_mtp && is_mtp(name)) continue;
    norms.push_back(model.parameters().get(name).grad.to(at::kDouble).norm().item<double>());
  }
  return norms;
}

TensorView view(const std::string& name, DType dtype, std::vector<int64_t> shape, const void* data, size_t bytes) {
  return {.name = name, .dtype = dtype, .shape = std::move(shape), .bytes = {static_cast<const std::byte*>(data), bytes}};
}

// The tensors to write, with the memory that they view.
struct Outputs {
  std::vector<TensorView> tensors;
  std::vector<at::Tensor> storage;

  void add(const std::string& name, at::Tensor t, std::vector<int64_t> shape) {
    storage.push_back(t.detach().cpu().contiguous());
    const auto& kept = storage.back();
    const auto type = kept.scalar_type() == at::kDouble ? DType::kF64 : DType::kF32;
    tensors.push_back(view(name, type, std::move(shape), kept.const_data_ptr(), kept.nbytes()));
  }
  void add_norms(const std::string& name, const std::vector<double>& norms) {
    add(name, torch::tensor(norms, at::kDouble), {std::ssize(norms)});
  }
};

at::Tensor logits_of(nn::CausalLm& model, const at::Tensor& hidden) {
  at::NoGradGuard no_grad;
  return model.logits(hidden.detach());
}

// Logits and hidden states of depth k as mtp_logits, mtp_hidden (of deeper modules with .k behind), [B, T - k, ...].
void add_mtp(Outputs& out, nn::CausalLm& model, const std::vector<nn::MtpDepth>& depths, int64_t b) {
  for (size_t k = 0; k < depths.size(); ++k) {
    const auto suffix = k == 0 ? std::string() : fmt::format(".{}", k + 1);
    const auto& hidden = depths[k].hidden;
    const auto t = hidden.size(0) / b;
    out.add("mtp_logits" + suffix, logits_of(model, hidden), {b, t, model.config().vocab_size});
    out.add("mtp_hidden" + suffix, hidden, {b, t, model.config().hidden_size});
  }
}

// loss and grad_norms of the main model; with MTP also loss_mtp (mean over depths) and joint_grad_norms of
// loss + mtp_weight * loss_mtp, for the modules' parameters too.
void add_grads(Outputs& out, nn::CausalLm& model, const at::Tensor& hidden, const std::vector<nn::MtpDepth>& depths,
               const std::vector<std::vector<int32_t>>& rows, double mtp_weight) {
  std::vector<int64_t> all(static_cast<size_t>(hidden.size(0)));
  std::iota(all.begin(), all.end(), 0);
  const auto loss = mean_loss(model, hidden, all, 1, rows);
  loss.backward({}, /*retain_graph=*/!depths.empty());
  out.add("loss", loss, {1});
  out.add_norms("grad_norms", grad_norms(model, /*has_mtp=*/false));
  if (depths.empty()) return;
  at::Tensor loss_mtp = torch::zeros({}, hidden.options());
  for (size_t k = 0; k < depths.size(); ++k) {
    loss_mtp = loss_mtp + mean_loss(model, depths[k].hidden, depths[k].rows, static_cast<int64_t>(k) + 2, rows);
  }
  loss_mtp = loss_mtp / static_cast<double>(depths.size());
  (loss_mtp * mtp_weight).backward();  // the main loss's gradients are there already
  out.add("loss_mtp", loss_mtp, {1});
  out.add_norms("joint_grad_norms", grad_norms(model, /*has_mtp=*/true));
}

}  // namespace

int run_logits(int argc, const char* const* argv) {
  std::string path, input, output, precision = "f32", device_name = "cpu";
  bool wants_grads = false;
  int num_threads = 0;
  double mtp_weight = 0.3;
  CLI::App app("Reads input_ids [B, T] and writes logits [B, T, V] in float32; of DeepSeek-V3 also mtp_logits and mtp_hidden.",
               "r1 logits");
  app.add_option("model", path, "Hugging Face folder or .gguf file")->required();
  app.add_option("input", input, "safetensors file with input_ids I64 [B, T]")->required();
  app.add_option("output", output, "safetensors file to write")->required();
  app.add_flag("--grads", wants_grads,
               "also loss (mean next-token cross-entropy) and grad_norms F64, one for each parameter of the main model by "
               "published name in byte order; with MTP loss_mtp, and joint_grad_norms of all parameters");
  app.add_option("--mtp-weight", mtp_weight, "of loss_mtp in joint_grad_norms");
  app.add_option("--precision", precision, "of products: f32, bf16, or of DeepSeek-V3 fp8")->check(CLI::IsMember({"f32", "bf16", "fp8"}));
  add_device(app, device_name);
  add_threads(app, num_threads);
  if (const auto status = parse(app, argc, argv)) return *status;
  apply_threads(num_threads);

  const auto device = device_of(device_name);
  const auto loaded = model::open_model(path);
  nn::CausalLm model(loaded.config, *loaded.weights,
                     {.device = device, .precision = precision_of(precision, loaded.config, "--precision")});
  const auto rows = read_input_ids(input, loaded.config.vocab_size);
  const std::vector<std::span<const int32_t>> sequences(rows.begin(), rows.end());
  at::AutoGradMode grads(wants_grads);
  const auto tokens = nn::pack(sequences, device);
  const auto hidden = model.forward(tokens);
  const auto depths = loaded.config.num_mtp_layers > 0 ? model.mtp(tokens, hidden) : std::vector<nn::MtpDepth>();
  const auto b = std::ssize(rows), t = std::ssize(rows[0]);
  Outputs out;
  out.add("logits", logits_of(model, hidden), {b, t, loaded.config.vocab_size});
  add_mtp(out, model, depths, b);
  if (wants_grads) add_grads(out, model, hidden, depths, rows, mtp_weight);
  formats::write_safetensors(output, out.tensors);
  return 0;
}

}  // namespace r1::cli
