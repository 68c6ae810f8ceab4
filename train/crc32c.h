#pragma once
// CRC-32C (Castagnoli), as TensorBoard's record framing wants it.

#include <cstdint>
#include <string_view>

namespace r1::train {

uint32_t crc32c(std::string_view bytes);

// TFRecord's mask, so that a checksum of data that holds checksums stays a good one.
constexpr uint32_t mask_crc(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

}  // namespace r1::train
