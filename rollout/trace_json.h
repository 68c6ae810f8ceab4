#pragma once
// The rollout database's views as JSON, for `r1 traces --json`. Fields are the structs' fields. Bytes that are not
// UTF-8 become U+FFFD; numbers that JSON lacks become null.

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "rollout/trace_query.h"

namespace r1::rollout {

// `text` with each byte that is not part of valid UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

boost::json::object to_json(const SampleSums& sums);
boost::json::object to_json(const StageRow& stage);
boost::json::object to_json(const RunRow& run);
boost::json::object to_json(const StepRow& step);
boost::json::object to_json(const WordStep& step);
boost::json::object to_json(const Evaluation& evaluation);
boost::json::object to_json(const AlarmRow& alarm);
boost::json::object to_json(const GroupRow& group);
boost::json::object to_json(const SampleRow& sample);
boost::json::object to_json(const SampleDetail& sample);
boost::json::object to_json(const GroupDetail& group);
boost::json::object to_json(const Prompt& prompt);
boost::json::object to_json(const EventRow& event);
boost::json::object to_json(const Hit& hit);

template <typename T>
boost::json::array to_json_array(const std::vector<T>& rows) {
  boost::json::array array;
  for (const auto& row : rows) array.push_back(to_json(row));
  return array;
}

}  // namespace r1::rollout
