#pragma once

#include <filesystem>
#include <string_view>

#include "tests/core/temp_folder.h"

// put() into a new file. ext4 writes a file out when one that was truncated is closed: 5 ms, too many for thousands of
// them.
inline void put_fresh(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::remove(path);
  put(path, bytes);
}
