#pragma once
// The tensor table of a GGUF file.

#include <vector>

#include "formats/gguf_cursor.h"
#include "formats/tensor_view.h"

namespace r1::formats {

// A row of the table; `bytes` of the view is not set yet, for where the data begin is known only behind the table.
struct GgufTensorInfo {
  TensorView view;
  uint64_t offset = 0;  // from where the data begin
  uint64_t size = 0;    // bytes
};

// Reads `count` rows; throws Error naming the tensor. Names may still repeat.
std::vector<GgufTensorInfo> read_gguf_tensors(GgufCursor& cursor, uint64_t count);

}  // namespace r1::formats
