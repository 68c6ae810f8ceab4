#pragma once
// The key-value part of a GGUF file.

#include <map>
#include <string>

#include "formats/gguf.h"
#include "formats/gguf_cursor.h"

namespace r1::formats {

using GgufMetadata = std::map<std::string, GgufValue, std::less<>>;

// Reads `count` pairs; throws Error naming the key.
GgufMetadata read_gguf_metadata(GgufCursor& cursor, uint64_t count);

// What a value is, for messages: "a string", "an array of strings".
const char* describe(const GgufValue& value);

}  // namespace r1::formats
