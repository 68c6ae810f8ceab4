#include "rl/advantage.h"

#include <cmath>

#include "formats/safetensors.h"
#include "tests/support/catch.h"

using namespace r1::rl;

namespace {

std::vector<Rewards> groups_of(const std::vector<float>& rewards, size_t group_size) {
  std::vector<Rewards> out;
  for (size_t i = 0; i < rewards.size(); i += group_size) out.emplace_back(rewards.begin() + i, rewards.begin() + i + group_size);
  return out;
}

std::vector<double> flat(const std::vector<std::vector<double>>& rows) {
  std::vector<double> out;
  for (const auto& row : rows) out.insert(out.end(), row.begin(), row.end());
  return out;
}

}  // namespace

TEST_CASE("advantages are TRL's for groups of four", "[golden]") {
  const r1::formats::SafetensorsFile file(std::string(R1_FIXTURES) + "/losses/grpo.safetensors");
  const auto rewards = r1::formats::to_float32(*file.find("rewards"));
  struct Row {
    std::string tensor;
    AdvantageKind kind;
  };
  const auto row = GENERATE(Row{"advantages_scale_group", AdvantageKind::kGroupStd}, Row{"advantages_scale_none", AdvantageKind::kGroupMean},
                            Row{"advantages_scale_batch", AdvantageKind::kBatchStd});
  INFO(row.tensor);
  const auto expected = r1::formats::to_float32(*file.find(row.tensor));
  const auto got = flat(advantages(groups_of(rewards, 4), {.kind = row.kind}));
  for (size_t i = 0; i < expected.size(); ++i) CHECK(got[i] == Approx(expected[i]).margin(1e-5));
}

TEST_CASE("groups sum to zero, equal groups give zeros, undecided ones stay out", "[property]") {
  const auto kind = GENERATE(AdvantageKind::kGroupStd, AdvantageKind::kGroupMean, AdvantageKind::kBatchStd, AdvantageKind::kLeaveOneOut);
  const std::vector<Rewards> groups{{1.0, 0.0, 0.5, 2.0}, {1.0, 1.0, 1.0}, {3.0, std::nullopt, 1.0}, {5.0}};
  const auto a = advantages(groups, {.kind = kind});
  for (const auto& row : a) {
    double sum = 0;
    for (const auto x : row) sum += x;
    CHECK(sum == Approx(0).margin(1e-9));
  }
  CHECK(a[1] == std::vector<double>{0, 0, 0});
  CHECK(a[2][1] == 0);
  CHECK(a[2][0] > 0);
  CHECK(a[3] == std::vector<double>{0});
}

TEST_CASE("leave-one-out compares with the mean of the others") {
  const auto a = advantages(std::vector<Rewards>{{3.0, 0.0, 0.0}}, {.kind = AdvantageKind::kLeaveOneOut});
  CHECK(a[0][0] == Approx(3));
  CHECK(a[0][1] == Approx(-1.5));
}

TEST_CASE("a group has a signal if two decided rewards differ") {
  CHECK(has_signal({1.0, 0.0}));
  CHECK_FALSE(has_signal({1.0, 1.0}));
  CHECK_FALSE(has_signal({1.0, std::nullopt}));
  CHECK_FALSE(has_signal({}));
}
