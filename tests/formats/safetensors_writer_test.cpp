#include <cstring>

#include "core/error.h"
#include "formats/safetensors.h"
#include "tests/core/temp_folder.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::formats;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

// The file's JSON header with its padding.
std::string header_of(const std::string& file) {
  uint64_t length;
  std::memcpy(&length, file.data(), sizeof length);
  return file.substr(8, length);
}

}  // namespace

TEST_CASE("What is written is what is read") {
  const TempFolder folder;
  const std::string eight = "12345678", two = "ab";
  const std::vector<TensorView> tensors = {
      {"narrow", DType::kI8, {2}, bytes_of(two)},
      {"wide", DType::kF32, {1, 2}, bytes_of(eight)},
      {"also wide", DType::kI32, {2}, bytes_of(eight)},
      {"half", DType::kBF16, {1}, bytes_of(two)},
      {"scalar", DType::kF64, {}, bytes_of(eight)},
      {"nothing", DType::kF32, {0, 7}, {}},
      {"quote \" and \xc3\xa9", DType::kU8, {2}, bytes_of(two)},
  };
  write_safetensors(folder / "f", tensors, {{"format", "pt"}, {"step", "7"}});
  const SafetensorsFile file(folder / "f");
  REQUIRE(file.tensors().size() == tensors.size());
  for (const TensorView& t : tensors) {
    INFO(t.name);
    const TensorView* read = file.find(t.name);
    REQUIRE(read != nullptr);
    CHECK(read->dtype == t.dtype);
    CHECK(read->shape == t.shape);
    CHECK(std::equal(read->bytes.begin(), read->bytes.end(), t.bytes.begin(), t.bytes.end()));
  }
  CHECK(file.metadata().at("step") == "7");
  CHECK(folder.names() == std::vector<std::string>{"f"});
}

TEST_CASE("Wide types come first, then names in order, and the data begin at a multiple of eight") {
  const TempFolder folder;
  const std::string eight = "12345678", two = "ab";
  const std::vector<TensorView> tensors = {
      {"a", DType::kI8, {2}, bytes_of(two)},
      {"b", DType::kF64, {1}, bytes_of(eight)},
      {"c", DType::kF32, {2}, bytes_of(eight)},
      {"B", DType::kF32, {2}, bytes_of(eight)},
  };
  write_safetensors(folder / "f", tensors);
  const std::string bytes = slurp(folder / "f");
  CHECK(header_of(bytes).size() % 8 == 0);
  CHECK_THAT(header_of(bytes),
             Catch::StartsWith(
                 R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"B":)"));
  std::vector<std::string> names;
  const SafetensorsFile file(folder / "f");
  for (const TensorView& t : file.tensors()) names.push_back(t.name);
  CHECK(names == std::vector<std::string>{"b", "B", "c", "a"});
}

TEST_CASE("A file without tensors and metadata is a file") {
  const TempFolder folder;
  write_safetensors(folder / "f", {}, {});
  CHECK(slurp(folder / "f") == std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
  CHECK(SafetensorsFile(folder / "f").tensors().empty());
}

TEST_CASE("What cannot be stored is refused by name, and leaves no file behind") {
  const TempFolder folder;
  const std::string eight = "12345678";
  const std::vector<std::byte> block(34);
  const struct {
    std::vector<TensorView> tensors;
    const char* fragment;
  } cases[] = {
      {{{"a", DType::kF32, {2}, bytes_of(eight)}, {"a", DType::kF32, {2}, bytes_of(eight)}},
       "tensor 'a': the name occurs twice"},
      {{{"a", DType::kF32, {3}, bytes_of(eight)}}, "tensor 'a': 8 bytes for 3 elements of F32"},
      {{{"q", DType::kQ8_0, {32}, block}}, "tensor 'q': Q8_0 is a GGUF block type"},
      {{{"__metadata__", DType::kF32, {2}, bytes_of(eight)}}, "the name is the format's own"},
  };
  for (const auto& c : cases) {
    CHECK_THROWS_WITH(write_safetensors(folder / "f", c.tensors), Catch::Contains(c.fragment));
    CHECK(folder.names().empty());
  }
}

TEST_CASE("A failed write keeps the file that was there") {
  const TempFolder folder;
  const std::string eight = "12345678";
  const std::vector<TensorView> good = {{"a", DType::kF32, {2}, bytes_of(eight)}};
  write_safetensors(folder / "f", good);
  const std::string before = slurp(folder / "f");
  CHECK_THROWS_AS(stream_safetensors(folder / "f", good, [](size_t) { return std::span<const std::byte>(); }), Error);
  CHECK(slurp(folder / "f") == before);
  CHECK(folder.names() == std::vector<std::string>{"f"});
}
