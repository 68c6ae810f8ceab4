#include "cli/device.h"

#include <torch/torch.h>

#include "core/error.h"

namespace r1::cli {

void add_device(CLI::App& app, std::string& name) {
  app.add_option("--device", name, "cpu, or cuda: ATen's operations on a GPU, in a build with CUDA")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
}

at::Device device_of(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (!torch::cuda::is_available()) {
    throw Error("--device cuda", "no GPU that this build can use",
                "use the cpu, or build with scripts/setup.sh --cuda and the cuda preset on a machine with a GPU");
  }
  return at::kCUDA;
}

}  // namespace r1::cli
