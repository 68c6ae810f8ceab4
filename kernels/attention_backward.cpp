#include <algorithm>
#include <array>
#include <vector>

#include "core/thread_pool.h"
#include "kernels/attention.h"
#include "kernels/attention_blocks.h"
#include "kernels/attention_tiles.h"

namespace r1::kernels {
namespace attn {
namespace {

constexpr int64_t kPanelFloats = int64_t{4} << 20;  // of the panels of one batch; more for more threads
constexpr int64_t kPanelFloatsPerThread = int64_t{1} << 19;
constexpr int64_t kScoreFloats = 16 * 1024;  // of a query tile's P and of its dS

// A panel with the segment and kv head it belongs to.
struct Work {
  Panel panel;
  int segment = 0, kv_head = 0;
  int64_t offset = 0;  // of its memory within the batch's

  int64_t scores() const { return panel.num_blocks() * panel.block_stride(); }  // floats of P, and of dS
  int64_t floats() const {
    const int64_t rows = int64_t{panel.num_rows()} * (panel.d + panel.e);
    return 2 * scores() + (rows + kBlock - 1) / kBlock * kBlock;
  }
};

// Rows of a panel, or keys.
struct Item {
  int work = 0;
  int first = 0, count = 0;
};

class Backward {
 public:
  Backward(ThreadPool& pool, const AttentionShape& shape, const AttentionBackwardArgs& args,
           std::span<const int32_t> offsets);
  void run();

 private:
  void pack();
  std::vector<Work> panels() const;
  void run_batch(std::span<Work> batch);
  std::vector<Item> query_items(std::span<const Work> batch) const;
  std::vector<Item> key_items(std::span<const Work> batch) const;
  void run_queries(const Work& work, const Item& item) const;
  void run_keys(const Work& work, const Item& item) const;
  int group() const { return shape_.num_heads / shape_.num_kv_heads; }

  ThreadPool& pool_;
  const AttentionShape shape_;
  const AttentionBackwardArgs args_;
  const std::vector<Segment> segments_;
  const int64_t panel_floats_;
  const Tiles& tiles_ = active_tiles();
  Scratch packed_, panel_memory_;
  Blocks keys_, values_, key_rows_;
};

Backward::Backward(ThreadPool& pool, const AttentionShape& shape, const AttentionBackwardArgs& args,
                   std::span<const int32_t> offsets)
    : pool_(pool),
      shape_(shape),
      args_(args),
      segments_(segments_of(offsets)),
      panel_floats_(std::max(kPanelFloats, kPanelFloatsPerThread * pool.size())) {}

void Backward::pack() {
  const int g = shape_.num_kv_heads, d = shape_.head_dim, e = shape_.v_head_dim;
  const std::array<PackArgs, 3> args{
      {{.x = args_.k, .ldx = args_.ldk, .num_heads = g, .width = d, .layout = BlockLayout::kTransposed},
       {.x = args_.v, .ldx = args_.ldv, .num_heads = g, .width = e, .layout = BlockLayout::kTransposed},
       {.x = args_.k, .ldx = args_.ldk, .num_heads = g, .width = d, .layout = BlockLayout::kRows}}};
  const int64_t blocks = num_blocks(segments_);
  int64_t floats = 0;
  for (const PackArgs& a : args) floats += packed_floats(a, blocks);
  const auto packed = pack_blocks(pool_, segments_, args, packed_.reserve(floats));
  keys_ = packed[0], values_ = packed[1], key_rows_ = packed[2];
}

// Panels of whole segments where they fit the memory of a batch, of a run of positions otherwise.
std::vector<Work> Backward::panels() const {
  std::vector<Work> panels;
  for (int s = 0; s < static_cast<int>(segments_.size()); ++s) {
    const int num_rows = segments_[s].num_rows;
    const int64_t position_floats =
        (2 * int64_t{round_up_to_block(num_rows)} + shape_.head_dim + shape_.v_head_dim) * group();
    const int step = static_cast<int>(std::clamp<int64_t>(panel_floats_ / position_floats, 1, num_rows));
    for (int first = 0; first < num_rows; first += step) {
      const int last = std::min(first + step, num_rows);
      for (int head = 0; head < shape_.num_kv_heads; ++head) {
        panels.push_back({.panel = {.first_position = first,
                                    .num_positions = last - first,
                                    .num_heads = group(),
                                    .d = shape_.head_dim,
                                    .e = shape_.v_head_dim},
                          .segment = s,
                          .kv_head = head});
      }
    }
  }
  return panels;
}

// Batches of panels that fit the memory together. A segment's next run of positions waits for a new batch: its chains
// over the same keys go on where the earlier run's end.
void Backward::run() {
  pack();
  std::vector<Work> all = panels();
  for (size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    int64_t floats = 0;
    for (; end < all.size(); ++end) {
      if (end > begin) {
        const Work &last = all[end - 1], &next = all[end];
        const bool is_next_run = next.segment == last.segment && next.panel.first_position != last.panel.first_position;
        if (is_next_run || floats + next.floats() > panel_floats_) break;
      }
      all[end].offset = floats;
      floats += all[end].floats();
    }
    panel_memory_.reserve(floats);
    run_batch(std::span(all).subspan(begin, end - begin));
  }
}

void Backward::run_batch(std::span<Work> batch) {
  float* const memory = panel_memory_.reserve(0);
  for (Work& work : batch) {
    Panel& panel = work.panel;
    panel.p = memory + work.offset;
    panel.d_s = panel.p + work.scores();
    panel.q = panel.d_s + work.scores();
    panel.d_out = panel.q + int64_t{panel.num_rows()} * panel.d;
  }
  const auto for_each = [&](const std::vector<Item>& items, auto run_item) {
    pool_.parallel_for(static_cast<int64_t>(items.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) (this->*run_item)(batch[items[i].work], items[i]);
    });
  };
  for_each(query_items(batch), &Backward::run_queries);
  for_each(key_items(batch), &Backward::run_keys);
}

// The costliest first, in both lists.
std::vector<Item> Backward::query_items(std::span<const Work> batch) const {
  std::vector<Item> items;
  for (int w = 0; w < static_cast<int>(batch.size()); ++w) {
    const int64_t fitting = kScoreFloats / (batch[w].panel.num_blocks() * kBlock) / kRowTile * kRowTile;
    const int step = static_cast<int>(std::clamp<int64_t>(fitting, kRowTile, kMaxRows));
    for (int last = batch[w].panel.num_rows(); last > 0;) {
      const int first = (last - 1) / step * step;
      items.push_back({.work = w, .first = first, .count = last - first});
      last = first;
    }
  }
  return items;
}

std::vector<Item> Backward::key_items(std::span<const Work> batch) const {
  std::vector<Item> items;
  for (int w = 0; w < static_cast<int>(batch.size()); ++w) {
    const int num_keys = batch[w].panel.first_position + batch[w].panel.num_positions;
    for (int key = 0; key < num_keys; key += kKeyTile) {
      items.push_back({.work = w, .first = key, .count = std::min(kKeyTile, num_keys - key)});
    }
  }
  return items;
}

void Backward::run_queries(const Work& work, const Item& item) const {
  const int d = shape_.head_dim, e = shape_.v_head_dim;
  const Segment& segment = segments_[work.segment];
  std::array<BackwardRow, kMaxRows> rows;
  for (int r = 0; r < item.count; ++r) {
    const int position = work.panel.first_position + (item.first + r) / group();
    const int64_t row = int64_t{segment.first_row} + position;
    const int64_t head = int64_t{work.kv_head} * group() + (item.first + r) % group();
    rows[r] = {.q = args_.q + row * args_.ldq + head * d,
               .out = args_.out + row * args_.ldo + head * e,
               .d_out = args_.d_out + row * args_.ldo + head * e,
               .d_q = args_.d_q + row * args_.ldq + head * d,
               .lse = args_.lse[row * shape_.num_heads + head],
               .context = position + 1};
  }
  thread_local std::array<std::vector<const float*>, 3> lists;
  const Blocks* const sources[]{&keys_, &values_, &key_rows_};
  for (size_t i = 0; i < lists.size(); ++i) {
    const int num_blocks = round_up_to_block(rows[item.count - 1].context) / kBlock;
    sources[i]->list(work.kv_head, nullptr, segment.first_block, num_blocks, lists[i]);
  }
  tiles_.backward_queries({.panel = &work.panel,
                           .first = item.first,
                           .rows = std::span(rows).first(item.count),
                           .keys = lists[0].data(),
                           .values = lists[1].data(),
                           .key_rows = lists[2].data(),
                           .scale = shape_.scale});
}

void Backward::run_keys(const Work& work, const Item& item) const {
  const int d = shape_.head_dim, e = shape_.v_head_dim;
  const int64_t row = int64_t{segments_[work.segment].first_row} + item.first;
  float* const d_k = args_.d_k + row * args_.ldk + int64_t{work.kv_head} * d;
  float* const d_v = args_.d_v + row * args_.ldv + int64_t{work.kv_head} * e;
  for (int i = std::max(0, work.panel.first_position - item.first); i < item.count; ++i) {  // the first to add to them
    std::fill_n(d_k + i * args_.ldk, d, 0.0f);
    std::fill_n(d_v + i * args_.ldv, e, 0.0f);
  }
  tiles_.backward_keys({.panel = &work.panel,
                        .key = item.first,
                        .num_keys = item.count,
                        .d_k = d_k,
                        .d_v = d_v,
                        .ldk = args_.ldk,
                        .ldv = args_.ldv});
}

}  // namespace
}  // namespace attn

void attention_packed_backward(ThreadPool& pool, const AttentionShape& shape, const AttentionBackwardArgs& args,
                               std::span<const int32_t> offsets) {
  attn::check_shape("attention_packed_backward", shape);
  attn::Backward(pool, shape, args, offsets).run();
}

}  // namespace r1::kernels
