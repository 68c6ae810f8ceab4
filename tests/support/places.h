#pragma once
// Where a model's operations can run here: the CPU's kernels, ATen on the CPU, and ATen on a GPU where there is one.

#include <torch/torch.h>

#include <string>
#include <vector>

#include "nn/functional.h"

struct Place {
  at::Device device = at::kCPU;
  r1::nn::Backend backend = r1::nn::Backend::kKernels;

  std::string name() const { return (backend == r1::nn::Backend::kAten ? "ATen, " : "kernels, ") + device.str(); }
};

inline std::vector<Place> aten_places() {
  std::vector<Place> places{{at::kCPU, r1::nn::Backend::kAten}};
  if (torch::cuda::is_available()) places.push_back({at::kCUDA, r1::nn::Backend::kAten});
  return places;
}

inline std::vector<Place> all_places() {
  auto places = aten_places();
  places.insert(places.begin(), Place{});
  return places;
}
