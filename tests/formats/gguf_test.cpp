#include "formats/gguf.h"

#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/formats/put_fresh.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::formats;
using namespace gguf_bytes;

namespace {

const std::string kEveryType =
    pair("u8", kU8, num<uint8_t>(200)) + pair("i8", kI8, num<int8_t>(-3)) + pair("u16", kU16, num<uint16_t>(60000)) +
    pair("i16", kI16, num<int16_t>(-300)) + pair("u32", kU32, u32(4000000000)) +
    pair("i32", kI32, num<int32_t>(-70000)) + pair("f32", kF32, num(0.5f)) + pair("bool", kBool, num<uint8_t>(1)) +
    pair("string", kString, text("a")) + pair("u64", kU64, u64(5)) + pair("huge", kU64, u64(UINT64_MAX)) +
    pair("i64", kI64, num<int64_t>(INT64_MIN)) + pair("f64", kF64, num(0.1)) +
    array("ints", kI16, 2, num<int16_t>(-1) + num<int16_t>(7)) + array("floats", kF32, 1, num(2.5f)) +
    array("strings", kString, 2, text("x") + text("")) + array("bools", kBool, 2, num<uint8_t>(1) + num<uint8_t>(0)) +
    array("none", kString, 0, "");

// Two tensors of 4 and 32 elements behind the metadata.
std::string small_file() {
  return padded(header(2, 18) + kEveryType + tensor("first", {2, 2}, kTypeF32, 0) +
                tensor("blk.0.second", {32}, kTypeQ4_0, 32)) +
         padded(num(1.0f) + num(2.0f) + num(3.0f) + num(4.0f)) + num<uint16_t>(0x3c00) + std::string(16, '\x98');
}

std::string refusal(const std::filesystem::path& path) {
  try {
    const GgufFile file(path);
    for (const TensorView& t : file.tensors()) {
      if (t.dtype != DType::kQ8_K) to_float32(t);  // reads every byte: a sanitizer would tell
    }
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace

TEST_CASE("Every kind of metadata value is read") {
  const TempFolder folder;
  put_fresh(folder / "f", small_file());
  const GgufFile file(folder / "f");
  CHECK(file.metadata().size() == 18);
  CHECK(file.get_int("u8") == 200);
  CHECK(file.get_int("i8") == -3);
  CHECK(file.get_int("u16") == 60000);
  CHECK(file.get_int("i16") == -300);
  CHECK(file.get_int("u32") == 4000000000);
  CHECK(file.get_int("i32") == -70000);
  CHECK(file.get_int("u64") == 5);
  CHECK(file.get_int("i64") == INT64_MIN);
  CHECK(std::get<uint64_t>(file.metadata().at("huge")) == UINT64_MAX);
  CHECK(file.get_double("f32") == 0.5);
  CHECK(file.get_double("f64") == 0.1);
  CHECK(file.get_double("u8") == 200.0);
  CHECK(file.find_bool("bool") == true);
  CHECK(file.get_string("string") == "a");
  CHECK(*file.find_ints("ints") == std::vector<int64_t>{-1, 7});
  CHECK(*file.find_ints("bools") == std::vector<int64_t>{1, 0});
  CHECK(*file.find_strings("strings") == std::vector<std::string>{"x", ""});
  CHECK(file.find_strings("none")->empty());
  CHECK(std::get<std::vector<double>>(file.metadata().at("floats")) == std::vector<double>{2.5});
}

TEST_CASE("Tensors are found by name, in torch's order of dimensions") {
  const TempFolder folder;
  put_fresh(folder / "f", padded(header(1, 0) + tensor("w", {3, 2}, kTypeF32, 0)) + std::string(24, '\0'));
  const GgufFile matrix(folder / "f");
  CHECK(matrix.find("w")->shape == std::vector<int64_t>{2, 3});
  put_fresh(folder / "g", small_file());
  const GgufFile file(folder / "g");
  CHECK(to_float32(*file.find("first")) == std::vector<float>{1, 2, 3, 4});
  CHECK(to_float32(*file.find("blk.0.second")) == [] {
    std::vector<float> values(32, 0.0f);
    std::fill(values.begin() + 16, values.end(), 1.0f);  // 0x98: low nibble 8 is 0, high nibble 9 is 1
    return values;
  }());
  CHECK(file.find("third") == nullptr);
}

TEST_CASE("Odd but good files are read") {
  const TempFolder folder;
  const struct {
    std::string bytes;
    const char* why;
  } cases[] = {
      {header(0, 0), "no keys, no tensors, no padding"},
      {header(0, 0, 2), "version 2"},
      {padded(header(1, 0) + tensor("w", {8}, kTypeF32, 0)) + std::string(32, 'x') + "more", "bytes behind the data"},
      {padded(header(1, 1) + pair("general.alignment", kU32, u32(64)) + tensor("w", {1}, kTypeF32, 64), 64) +
           std::string(68, 'x'),
       "an alignment of 64, and a gap before the tensor"},
      {padded(header(1, 0) + tensor("w", {}, kTypeF32, 0)) + std::string(4, 'x'),
       "a tensor without dimensions is a number"},
      {padded(header(2, 0) + tensor("b", {1}, kTypeF32, 32) + tensor("a", {1}, kTypeF32, 0)) + std::string(36, 'x'),
       "the table's order is not the data's"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    put_fresh(folder / "f", c.bytes);
    CHECK(refusal(folder / "f") == "");
  }
}

TEST_CASE("A look-up of a key that is missing or of another type names file, key and types") {
  const TempFolder folder;
  put_fresh(folder / "f", small_file());
  const GgufFile file(folder / "f");
  CHECK_FALSE(file.find_int("nothing").has_value());
  CHECK(file.find_strings("nothing") == nullptr);
  CHECK_THROWS_WITH(file.get_int("nothing"),
                    Catch::StartsWith((folder / "f").string()) && Catch::Contains("metadata key 'nothing' is missing"));
  CHECK_THROWS_WITH(file.get_int("string"), Catch::Contains("key 'string' is a string; a whole number is wanted"));
  CHECK_THROWS_WITH(file.find_int("huge"), Catch::Contains("above 2^63 - 1"));
  CHECK_THROWS_WITH(file.find_string("ints"), Catch::Contains("an array of whole numbers; a string is wanted"));
  CHECK_THROWS_WITH(file.find_double("bool"), Catch::Contains("a bool; a number is wanted"));
  CHECK_THROWS_WITH(file.find_strings("floats"),
                    Catch::Contains("an array of fractions; an array of strings is wanted"));
}

TEST_CASE("A GGUF file cut anywhere is refused", "[property]") {
  const TempFolder folder;
  const std::string whole = small_file();
  for (size_t length = 0; length < whole.size(); ++length) {
    put_fresh(folder / "f", whole.substr(0, length));
    INFO("cut to " << length);
    REQUIRE_FALSE(refusal(folder / "f").empty());
  }
  put_fresh(folder / "f", whole);
  CHECK(refusal(folder / "f").empty());
}

TEST_CASE("A damaged GGUF file is read or refused, and never does harm", "[property]") {
  const TempFolder folder;
  const std::string whole = small_file();
  const uint64_t extremes[] = {
      0, 1, 0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX, uint64_t{1} << 63, UINT64_MAX, uint64_t{1} << 32};
  RandomStream random(20261123, 2);
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string bytes = whole;
    for (uint64_t hits = 1 + random.below(2); hits > 0; --hits) {
      const size_t at = random.below(bytes.size() - 8);
      if (random.below(3) == 0)
        std::memcpy(bytes.data() + at, &extremes[random.below(9)], random.below(2) == 0 ? 4 : 8);
      if (random.below(3) == 0) bytes[at] = static_cast<char>(random.below(256));
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
    }
    put_fresh(folder / "f", bytes);
    refused += !refusal(folder / "f").empty();
  }
  CHECK(refused > 1000);
  CHECK(refused < 4000);
}
