// DeepSeek-V3's costs: memory of the cache a token, decoding against a dense model of equal active parameters, and
// routed experts as their number doubles at equal top-k. One key=value line a case. usage: bench_v3 [THREADS [FOLDER]]
// With FOLDER the models are written to FOLDER/v3, FOLDER/v3_twice (the experts) and FOLDER/dense, for bench/v3.py.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "model/decoder.h"

namespace {

using namespace r1;
using model::ModelConfig;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

ModelConfig base() {
  ModelConfig c;
  c.vocab_size = 1408;
  c.hidden_size = 384;
  c.num_layers = 12;
  c.num_heads = c.num_kv_heads = 6;
  c.max_position = 2048;
  c.eos_token_ids = {0};
  return c;
}

// About 19 million active parameters each.
ModelConfig v3(int64_t num_experts) {
  auto c = base();
  c.family = model::Family::kDeepseekV3;
  c.intermediate_size = 1024;
  c.mla = {.kv_lora_rank = 96, .qk_nope_head_dim = 48, .qk_rope_head_dim = 16, .v_head_dim = 48};
  c.moe = {.num_experts = num_experts, .num_shared_experts = 1, .top_k = 4, .intermediate_size = 192, .first_layer = 1};
  c.head_dim = 64;
  return c;
}
ModelConfig dense() {
  auto c = base();
  c.intermediate_size = 768;
  c.head_dim = 64;
  return c;
}

int64_t active_parameters(const ModelConfig& c) {
  int64_t total = c.num_parameters();
  if (!c.moe) return total;
  const auto idle = c.moe->num_experts - c.moe->top_k;
  return total - (c.num_layers - c.moe->first_layer) * idle * 3 * c.hidden_size * c.moe->intermediate_size;
}

// Seconds of one pass over `batch` sequences of `context` tokens: their last token if `rows` is 1, else the last
// `rows`.
double pass_time(const ModelConfig& c, ThreadPool& pool, int batch, int context, int rows) {
  const auto weights = model::random_weights(c, 0.05, 1);
  model::Decoder decoder(c, weights->weights, model::WeightFormat::kF32, pool);
  const int blocks = (context + 15) / 16;
  model::KvCache cache(c, batch * blocks);
  std::vector<int32_t> tables(static_cast<size_t>(batch * blocks)), ids, positions, logit_rows;
  std::iota(tables.begin(), tables.end(), 0);
  std::vector<int64_t> slots;
  std::vector<kernels::PagedRow> paged;
  for (int b = 0; b < batch; ++b) {
    for (int p = context - rows; p < context; ++p) {
      ids.push_back((b * 131 + p * 37) % 1400);
      positions.push_back(p);
      slots.push_back(int64_t{b * blocks + p / 16} * 16 + p % 16);
      paged.push_back({.block_table = tables.data() + b * blocks, .context = p + 1});
    }
    logit_rows.push_back(static_cast<int32_t>(ids.size()) - 1);
  }
  double best = 1e30, spent = 0;
  for (int i = 0; i < 4 || spent < 1; ++i) {
    const double start = seconds();
    decoder.forward({.token_ids = ids, .positions = positions, .slots = slots, .rows = paged, .logit_rows = logit_rows},
                    cache);
    best = std::min(best, seconds() - start);
    spent += seconds() - start;
  }
  return best;
}

int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// What the process grows by when a cache of `tokens` tokens is filled, a token.
double cache_bytes_per_token(const ModelConfig& c, int64_t tokens) {
  const int64_t before = resident_bytes();
  const model::KvCache cache(c, static_cast<int32_t>(tokens / 16));
  for (int64_t layer = 0; layer < c.num_layers; ++layer) {
    std::fill_n(cache.latents(layer), c.kv_floats_per_layer() * tokens, 1.0f);
  }
  return static_cast<double>(resident_bytes() - before) / static_cast<double>(tokens);
}

void print_memory() {
  ModelConfig published;
  published.num_layers = 61;
  published.num_heads = published.num_kv_heads = 128;
  auto expanded = published;
  expanded.head_dim = (192 + 128) / 2;  // keys of 192, values of 128
  published.mla = {
      .q_lora_rank = 1536, .kv_lora_rank = 512, .qk_nope_head_dim = 128, .qk_rope_head_dim = 64, .v_head_dim = 128};
  ModelConfig qwen;
  qwen.num_layers = 28;
  qwen.num_heads = 28;
  qwen.num_kv_heads = 4;
  qwen.head_dim = 128;
  const struct {
    const char* name;
    const ModelConfig& config;
    int64_t tokens;
  } cases[] = {{"deepseek-v3", published, 1024}, {"deepseek-v3-as-mha", expanded, 64}, {"qwen2.5-7b", qwen, 1024}};
  for (const auto& c : cases) {
    fmt::print("kv model={} floats/token={} measured_bytes/token={:.0f}\n", c.name, c.config.kv_floats_per_token(),
               cache_bytes_per_token(c.config, c.tokens));
  }
}

void save(const std::filesystem::path& folder, const ModelConfig& c) {
  std::filesystem::create_directories(folder);
  model::save_model(folder, c, model::random_weights(c, 0.05, 1)->weights, {});
}

}  // namespace

int main(int argc, char** argv) {
  ThreadPool pool(argc > 1 ? std::atoi(argv[1]) : 2);
  print_memory();
  const auto sparse = v3(32), plain = dense();
  if (argc > 2) {
    save(std::filesystem::path(argv[2]) / "v3", sparse);
    save(std::filesystem::path(argv[2]) / "v3_twice", v3(64));
    save(std::filesystem::path(argv[2]) / "dense", plain);
  }
  fmt::print("parameters v3 active={} total={} dense={}\n", active_parameters(sparse), sparse.num_parameters(),
             plain.num_parameters());
  for (const int batch : {1, 16, 64}) {
    const double a = pass_time(sparse, pool, batch, 128, 1), b = pass_time(plain, pool, batch, 128, 1);
    fmt::print("decode batch={} v3={:.1f} dense={:.1f} tokens/s ratio={:.2f}\n", batch, batch / a, batch / b, b / a);
  }
  for (const int rows : {64, 512}) {
    double before = 0;
    for (const int64_t experts : {16, 32, 64, 128}) {
      const double time = pass_time(v3(experts), pool, 1, rows, rows);
      fmt::print("experts={} rows={} ms={:.2f} against_half={:.2f}\n", experts, rows, time * 1e3,
                 before > 0 ? time / before : 1.0);
      before = time;
    }
  }
  return 0;
}
