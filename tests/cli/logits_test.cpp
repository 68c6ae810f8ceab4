// r1 logits as the command, against transformers' numbers (tests/fixtures: deepseek_v3, deepseek_v3_fp8).

#include <algorithm>
#include <cmath>
#include <cstring>

#include "formats/safetensors.h"
#include "tests/cli/recipes.h"
#include "tests/support/catch.h"

using r1::formats::DType;
using r1::formats::SafetensorsFile;

namespace {

const std::string kFixtures = R1_FIXTURES;

std::vector<double> values_of(const SafetensorsFile& file, const std::string& name) {
  const auto* view = file.find(name);
  INFO(name);
  REQUIRE(view != nullptr);
  std::vector<double> out(static_cast<size_t>(view->num_elements()));
  if (view->dtype == DType::kF64) {
    std::memcpy(out.data(), view->bytes.data(), view->bytes.size());
    return out;
  }
  const auto floats = r1::formats::to_float32(*view);
  std::ranges::copy(floats, out.begin());
  return out;
}

// The largest of |got - wanted| / max(1, |wanted| if relative).
double largest_gap(const SafetensorsFile& got, const std::string& name, const SafetensorsFile& wanted,
                   const std::string& wanted_name, bool is_relative) {
  INFO(name);
  REQUIRE(got.find(name) != nullptr);
  REQUIRE(wanted.find(wanted_name) != nullptr);
  CHECK(got.find(name)->shape == wanted.find(wanted_name)->shape);
  const auto a = values_of(got, name), b = values_of(wanted, wanted_name);
  double gap = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    gap = std::max(gap, is_relative ? difference / std::abs(b[i]) : difference);
  }
  return gap;
}

}  // namespace

TEST_CASE("r1 logits --grads gives transformers' logits, MTP, losses and gradient norms of DeepSeek-V3", "[golden]") {
  const Workplace place;
  const auto folder = kFixtures + "/deepseek_v3";
  const auto end = place.r1({"logits", folder, folder + "/reference.safetensors", place.at("out"), "--grads"});
  INFO(end.output);
  REQUIRE(end.status == 0);
  const SafetensorsFile got(place.at("out")), wanted(folder + "/reference.safetensors");
  for (const std::string name : {"logits", "mtp_logits", "mtp_hidden"}) {
    INFO(name);
    CHECK(largest_gap(got, name, wanted, name, false) < 1e-4);
  }
  for (const std::string name : {"loss", "loss_mtp", "grad_norms", "joint_grad_norms"}) {
    INFO(name);
    CHECK(largest_gap(got, name, wanted, name, true) < 1e-3);
  }
}

TEST_CASE("r1 logits of an FP8 checkpoint are those of its weights times their scales", "[golden]") {
  const Workplace place;
  const auto folder = kFixtures + "/deepseek_v3_fp8";
  const auto end = place.r1({"logits", folder, folder + "/reference.safetensors", place.at("out")});
  INFO(end.output);
  REQUIRE(end.status == 0);
  const SafetensorsFile got(place.at("out")), wanted(folder + "/reference.safetensors");
  CHECK(largest_gap(got, "logits", wanted, "logits_weight_dequant_fp32", false) < 1e-4);
}
