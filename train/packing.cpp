#include "train/packing.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace r1::train {

std::vector<std::vector<int32_t>> best_fit_packing(std::span<const int32_t> lengths, int64_t budget) {
  std::vector<int32_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int32_t a, int32_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<int32_t>> bins;
  std::multimap<int64_t, size_t> by_room;  // tokens still free -> bin; equal keys keep the order of insertion
  for (const auto i : order) {
    const auto fit = by_room.lower_bound(lengths[i]);
    size_t bin = bins.size();
    int64_t room = std::max<int64_t>(budget, lengths[i]);
    if (fit == by_room.end()) {
      bins.emplace_back();
    } else {
      bin = fit->second;
      room = fit->first;
      by_room.erase(fit);
    }
    bins[bin].push_back(i);
    by_room.emplace(room - lengths[i], bin);
  }
  for (auto& bin : bins) std::ranges::sort(bin);
  return bins;
}

}  // namespace r1::train
