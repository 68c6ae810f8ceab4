#pragma once
// The JSON header of a safetensors file, read as a stream: a hostile header takes memory for the tensors it names, not
// for the JSON around them.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tensor_view.h"

namespace r1::formats {

struct HeaderEntry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::array<uint64_t, 2> offsets = {0, 0};  // into the data, [begin, end)
};

struct SafetensorsHeader {
  std::vector<HeaderEntry> entries;  // in the file's order; names may repeat
  std::map<std::string, std::string> metadata;
};

// Throws Error that opens with `where` (the file) and names tensor and key.
SafetensorsHeader parse_safetensors_header(std::string_view json, const std::string& where);

}  // namespace r1::formats
