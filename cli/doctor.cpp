// r1 doctor: this machine, its libraries, and what is missing.

#include <sqlite3.h>
#include <torch/torch.h>
#include <torch/version.h>
#include <zstd.h>

#include <cstdio>
#include <cstring>
#include <fstream>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/error.h"
#include "core/files.h"
#include "kernels/cpu.h"
#include "kernels/gemm.h"
#include "rewards/code/language.h"

namespace r1::cli {
namespace {

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

void row(std::string_view name, const std::string& value) { fmt::print("{:18}{}\n", name, value); }

// Rows of one product must not depend on how many rows there are, nor on threads: what equal log-probs rest on.
bool products_are_deterministic() {
  const int64_t n = 200, k = 130, m = 37;
  std::vector<float> weight(n * k), x(m * k), all(m * n), one(n);
  for (size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>((i * 7919) % 1000) / 500.0f - 1;
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 104729) % 1000) / 500.0f - 1;
  ThreadPool single(1);
  const kernels::PackedMatrix packed(compute_pool(), weight.data(), n, k, kernels::Element::kF32);
  packed.multiply(compute_pool(), x.data(), m, k, nullptr, all.data(), n);
  for (int64_t i = 0; i < m; ++i) {
    packed.multiply(single, x.data() + i * k, 1, k, nullptr, one.data(), n);
    if (std::memcmp(one.data(), all.data() + i * n, n * sizeof(float)) != 0) return false;
  }
  return true;
}

void print_gpu() {
  if (!torch::cuda::is_available()) {
    row("gpu", "none that this build can use (a build with CUDA: scripts/setup.sh --cuda, then the cuda preset)");
    return;
  }
  row("gpu", fmt::format("{} CUDA device(s)", torch::cuda::device_count()));
}

// The first line that a program in the sandbox prints.
std::string first_line(sandbox::Sandbox& box, const std::string& program) {
  const auto outcome = box.run({.argv = {program, "--version"}}, {});
  if (outcome.end != sandbox::End::kExited || outcome.code != 0) return fmt::format("{}: not usable ({})", program, outcome.detail);
  return fmt::format("{}: {}", program, outcome.out.substr(0, outcome.out.find('\n')));
}

// What keeps model-written programs apart from this machine (docs/rewards_code.md).
void print_sandbox() {
  const rewards::code::Toolchain tools;
  const auto unsafe = sandbox::Isolation::kUnsafe;
  auto box = std::make_unique<sandbox::Sandbox>(sandbox::Options{.num_slots = 1});
  auto report = box->report();
  if (!report.is_available) {
    row("sandbox", fmt::format("NO namespaces ({}): code rewards refuse to run without --unsafe", report.reason));
    box = std::make_unique<sandbox::Sandbox>(sandbox::Options{.isolation = unsafe, .num_slots = 1});
    report = box->report();
    if (!report.is_available) return row("", "and without them: " + report.reason);
  } else {
    row("sandbox", "user, pid, mount, network, ipc, uts and cgroup namespaces, no root needed");
  }
  const auto landlock = report.landlock_abi > 0 ? fmt::format("Landlock ABI {}", report.landlock_abi) : "no Landlock in this kernel";
  row("", fmt::format("seccomp allow-list, {}, programs run as user {}", landlock, report.uid));
  row("", fmt::format("{} memory cgroup, {} pids cgroup, {}", report.has_memory_cgroup ? "with" : "no (rlimits instead)",
                      report.has_pids_cgroup ? "with" : "no (rlimits instead)",
                      report.can_measure ? "sums over processes are measured" : "NO measured sums: rlimits per process only"));
  row("languages", first_line(*box, tools.python));
  row("", first_line(*box, tools.cpp));
}

}  // namespace

int run_doctor(int argc, const char* const* argv) {
  std::string path;
  CLI::App app("This machine, its libraries, and what is missing.", "r1 doctor");
  app.add_option("--model", path, "also check a model: its files, tokenizer and values");
  if (const auto status = parse(app, argc, argv)) return *status;

  row("r1", "0.1.0");
  row("cpu", cpu_model());
  row("threads", fmt::format("{}", compute_pool().size()));
  row("features", fmt::format("avx2 {}, fma {}, f16c {}, avx512f {}, kernels: {}", __builtin_cpu_supports("avx2") != 0,
                              __builtin_cpu_supports("fma") != 0, __builtin_cpu_supports("f16c") != 0,
                              __builtin_cpu_supports("avx512f") != 0,
                              kernels::active_isa() == kernels::Isa::kAvx2 ? "AVX2" : "portable (slow: this CPU lacks AVX2 or FMA)"));
  print_gpu();
  row("libtorch", TORCH_VERSION);
  row("sqlite", sqlite3_libversion());
  row("zstd", ZSTD_versionString());
  row("same bits", products_are_deterministic() ? "yes: a row's product does not depend on batch or threads" : "NO: rollout and trainer log-probs may differ");
  print_sandbox();
  const std::filesystem::path gguf = "models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
  row("SmolLM2", std::filesystem::exists(gguf) ? gguf.string() : "not here; get it with scripts/setup.sh");
  if (path.empty()) return 0;
  const auto model = open(path);
  model::check_finite(model.loaded);
  row("model", fmt::format("{} parameters, {} tokens, all values finite", model.loaded.config.num_parameters(),
                           model.tokenizer.vocab_size()));
  return 0;
}

}  // namespace r1::cli
