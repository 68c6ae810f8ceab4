// Typed look-ups of GGUF metadata.

#include "core/error.h"
#include "formats/gguf.h"
#include "formats/gguf_metadata.h"
#include "formats/quote.h"

namespace r1::formats {
namespace {

constexpr const char* kMend = "write the file again with a current converter";

// The value if the key is there and of type T; throws if it is of another.
template <typename T>
const T* find_as(const GgufFile& file, std::string_view key, const char* wanted) {
  const auto it = file.metadata().find(key);
  if (it == file.metadata().end()) return nullptr;
  if (const T* value = std::get_if<T>(&it->second)) return value;
  throw Error(file.path().string(),
              fmt::format("metadata key {} is {}; {} is wanted", quote_name(key), describe(it->second), wanted), kMend);
}

template <typename T>
T require(const GgufFile& file, std::string_view key, std::optional<T> value) {
  if (value) return *std::move(value);
  throw Error(file.path().string(), fmt::format("metadata key {} is missing", quote_name(key)), kMend);
}

template <typename T>
std::optional<T> copy(const T* value) {
  return value == nullptr ? std::nullopt : std::optional<T>(*value);
}

}  // namespace

std::optional<int64_t> GgufFile::find_int(std::string_view key) const {
  return copy(find_as<int64_t>(*this, key, "a whole number"));
}

std::optional<double> GgufFile::find_double(std::string_view key) const {
  const auto it = metadata_.find(key);
  if (it != metadata_.end()) {
    if (const auto* whole = std::get_if<int64_t>(&it->second)) return static_cast<double>(*whole);
  }
  return copy(find_as<double>(*this, key, "a number"));
}

std::optional<bool> GgufFile::find_bool(std::string_view key) const {
  return copy(find_as<bool>(*this, key, "a bool"));
}

std::optional<std::string> GgufFile::find_string(std::string_view key) const {
  return copy(find_as<std::string>(*this, key, "a string"));
}

const std::vector<std::string>* GgufFile::find_strings(std::string_view key) const {
  return find_as<std::vector<std::string>>(*this, key, "an array of strings");
}

const std::vector<int64_t>* GgufFile::find_ints(std::string_view key) const {
  return find_as<std::vector<int64_t>>(*this, key, "an array of whole numbers");
}

int64_t GgufFile::get_int(std::string_view key) const { return require(*this, key, find_int(key)); }
double GgufFile::get_double(std::string_view key) const { return require(*this, key, find_double(key)); }
std::string GgufFile::get_string(std::string_view key) const { return require(*this, key, find_string(key)); }

}  // namespace r1::formats
