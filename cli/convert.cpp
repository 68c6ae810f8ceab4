// r1 convert: any readable model as a Hugging Face folder.

#include <cstdio>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/error.h"
#include "core/files.h"

namespace r1::cli {

int run_convert(int argc, const char* const* argv) {
  std::string path, output, dtype = "bf16";
  CLI::App app("Writes a model (GGUF or folder) as a Hugging Face folder that transformers loads.", "r1 convert");
  app.add_option("model", path, "Hugging Face folder or .gguf file")->required();
  app.add_option("output", output, "folder to write")->required();
  app.add_option("--dtype", dtype, "fp8: DeepSeek-V3 alone")->check(CLI::IsMember({"f32", "f16", "bf16", "fp8"}));
  if (const auto status = parse(app, argc, argv)) return *status;

  const auto model = open(path);
  const std::map<std::string, formats::DType> dtypes{{"f32", formats::DType::kF32},
                                                     {"f16", formats::DType::kF16},
                                                     {"bf16", formats::DType::kBF16},
                                                     {"fp8", formats::DType::kF8E4M3}};
  model::SaveOptions options{.dtype = dtypes.at(dtype)};
  if (!model.loaded.is_gguf) options.extra_files = path;
  AtomicFolder folder(output);
  model::save_model(folder.path(), model.loaded.config, *model.loaded.weights, options);
  if (model.loaded.is_gguf) model.tokenizer.save(folder.path());
  folder.commit();
  fmt::print("{} parameters -> {}\n", model.loaded.config.num_parameters(), output);
  return 0;
}

}  // namespace r1::cli
