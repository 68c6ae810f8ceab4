#pragma once
// The device that a command computes on, as its option names it.

#include <ATen/core/Tensor.h>

#include <string>

#include "cli/options.h"

namespace r1::cli {

// Adds --device: "cpu" or "cuda".
void add_device(CLI::App& app, std::string& name);

// Throws Error for "cuda" where no GPU can be used.
at::Device device_of(const std::string& name);

}  // namespace r1::cli
