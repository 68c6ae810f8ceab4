// tests/fixtures/safetensors_malformed: what safetensors 0.8.0 says of 46 files, 37 of them odd.

#include "formats/safetensors.h"

#include <cstdlib>
#include <cstring>

#include "core/error.h"
#include "core/json.h"
#include "core/random.h"
#include "tests/formats/put_fresh.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::formats;

namespace {

const std::string kMalformed = std::string(R1_FIXTURES) + "/safetensors_malformed/";

std::string with_header(const std::string& header, const std::string& data = "") {
  const uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + data;
}

// The problem and its place, or "" if the file is accepted.
std::string refusal(const std::filesystem::path& path) {
  try {
    const SafetensorsFile file(path);
    size_t bytes = 0;
    for (const TensorView& t : file.tensors()) {
      for (const std::byte b : t.bytes) bytes += static_cast<size_t>(b);  // reads every byte: a sanitizer would tell
    }
    return bytes == SIZE_MAX ? "impossible" : "";
  } catch (const Error& e) {
    return e.what();
  }
}

const std::string kGood =
    with_header(R"({"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                R"("y":{"dtype":"I8","shape":[3],"data_offsets":[8,11]}})",
                std::string(11, '\1'));

}  // namespace

TEST_CASE("Files get the verdict of the reference reader, but for the duplicate name that we refuse", "[golden]") {
  const auto expected = json::parse_file(kMalformed + "expected.json");
  int count = 0;
  for (const auto& value : expected.at("cases").as_array()) {
    const std::string name(value.at("file").as_string());
    INFO(name);
    const bool is_accepted = refusal(kMalformed + name).empty();
    const bool is_expected = value.at("ok").as_bool() && name != "duplicate_name.safetensors";
    CHECK(is_accepted == is_expected);
    ++count;
    if (!is_accepted || !is_expected) continue;
    const SafetensorsFile file(kMalformed + name);
    CHECK(file.tensors().size() == value.at("keys").as_array().size());
    for (const auto& key : value.at("keys").as_array()) CHECK(file.find(std::string(key.as_string())) != nullptr);
  }
  CHECK(count == 46);
}

TEST_CASE("A refusal names the file and the tensor, key or offset at fault") {
  const struct {
    const char* file;
    const char* fragment;
  } cases[] = {
      {"empty_file", "0 bytes"},
      {"seven_bytes", "7 bytes"},
      {"header_len_too_big_for_file", "bytes 0-7: a header of"},
      {"header_too_large", "at most 100000000 are allowed"},
      {"header_100MB_plus_1", "at most 100000000 are allowed"},
      {"not_utf8", "header: byte 8: not JSON"},
      {"not_json", "not JSON"},
      {"json_array", "header is or holds an array where an object is wanted"},
      {"json_trailing_garbage", "header: byte 10: not JSON"},
      {"utf8_bom", "header: byte 8: not JSON"},
      {"nul_padding", "not JSON"},
      {"trailing_data", "bytes of data, but the tensors take"},
      {"truncated_data", "of the data, which has"},
      {"offset_size_mismatch", "but dtype and shape make"},
      {"overlap", "tensor 'b': key 'data_offsets'"},
      {"same_range_twice", "begin must be"},
      {"hole", "tensor 'b': key 'data_offsets'"},
      {"start_not_zero", "tensor 'a': key 'data_offsets'"},
      {"end_before_start", "tensor 'a': key 'data_offsets'"},
      {"unknown_dtype", "key 'dtype' is "},
      {"lowercase_dtype", "key 'dtype' is 'i32'"},
      {"negative_dim", "key 'shape' holds -"},
      {"float_dim", "key 'shape' is or holds a fraction"},
      {"shape_overflow", "key 'shape' holds 18446744073709551614, more than any tensor has"},
      {"bytes_overflow", "more elements than 64 bits can count"},
      {"metadata_not_string", "'__metadata__': key "},
      {"metadata_not_object", "key '__metadata__' is or holds"},
      {"missing_dtype", "key 'dtype' is missing"},
      {"missing_shape", "key 'shape' is missing"},
      {"missing_offsets", "key 'data_offsets' is missing"},
      {"offsets_three", "key 'data_offsets' has 3 numbers"},
      {"offsets_one", "key 'data_offsets' has 1 numbers"},
      {"duplicate_name", "tensor 't': stands twice"},
      {"duplicate_name_two_ranges", "tensor 't': stands twice"},
      {"f4_odd", "do not end on a byte"},
      {"null_tensor", "is or holds null where an object is wanted"},
  };
  for (const auto& c : cases) {
    const std::string path = kMalformed + c.file + ".safetensors";
    INFO(c.file);
    CHECK_THAT(refusal(path), Catch::StartsWith(path) && Catch::Contains(c.fragment));
  }
}

TEST_CASE("Headers that the fixtures lack are refused too") {
  const TempFolder folder;
  const std::string long_name(5000, 'x');
  const struct {
    std::string header;
    const char* fragment;
    const char* why;
  } cases[] = {
      {"", "not JSON", "no header at all"},
      {"   ", "not JSON", "blanks alone"},
      {R"({"t":{"dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1]}})", "key 'dtype' stands twice",
       "a field twice"},
      {R"({"__metadata__":{"a":"b"},"__metadata__":{}})", "key '__metadata__' stands twice", "metadata twice"},
      {R"({"__metadata__":{"a":"b","a":"c"}})", "key 'a' stands twice", "a metadata key twice"},
      {R"({"t":{"dtype":{"U8":null},"shape":[],"data_offsets":[0,1]}})", "key 'dtype'", "an object as dtype"},
      {R"({"t":["U8",[],[0,1]]})", "key 't' is or holds an array", "a tensor as an array"},
      {R"({"t":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})", "key 'shape'", "a nested shape"},
      {R"({"t":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,1]}})", "more than any tensor has",
       "a size above 2^63"},
      {R"({"t":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,1]}})", "a fraction",
       "a size above 2^64"},
      {R"({"t":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}})", "a fraction", "an exponent"},
      {R"({"t":{"dtype":"U8","shape":[true],"data_offsets":[0,1]}})", "key 'shape'", "a bool as size"},
      {R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1],}})", "not JSON", "a comma too many"},
      {R"({"t":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}})", "not JSON", "a leading zero"},
      {"{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}//c", "not JSON", "a comment"},
      {"{\"a\nb\":{}}", "not JSON", "a raw newline in a name"},
      {R"({"\ud800":{}})", "not JSON", "half a surrogate pair"},
      {"{\"" + long_name + "\":3}", "xxx...xxx", "a very long name is cut in the message"},
      {"{\"\\u001b[31mred\":3}", "key '\\x1b[31mred'", "an escape sequence is not printed raw"},
      {R"({"t":{"dtype":"U8","shape":[)" +
           [] {
             std::string ones = "1";
             for (int i = 0; i < 70; ++i) ones += ",1";
             return ones;
           }() +
           R"(],"data_offsets":[0,1]}})",
       "more than 64 sizes", "a shape without end"},
      {R"({"t":{"x":)" + std::string(200, '[') + std::string(200, ']') + "}}", "not JSON", "nested without end"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    put_fresh(folder / "f", with_header(c.header, "\1"));
    const std::string text = refusal(folder / "f");
    CHECK_THAT(text, Catch::Contains(c.fragment));
    CHECK(text.size() < 800);
  }
}

TEST_CASE("A good file gives its tensors, by offset and by name, and its metadata") {
  const TempFolder folder;
  put_fresh(folder / "f", kGood);
  SafetensorsFile first(folder / "f");
  const SafetensorsFile file = std::move(first);  // views outlive a move
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].name == "x");
  CHECK(file.find("y")->dtype == DType::kI8);
  CHECK(file.find("x")->shape == std::vector<int64_t>{1, 2});
  CHECK(file.find("y")->bytes.size() == 3);
  CHECK(to_float32(*file.find("y")) == std::vector<float>{1, 1, 1});
  CHECK(file.find("z") == nullptr);
  CHECK(file.metadata().at("a") == "b");
}

TEST_CASE("A file cut anywhere is refused", "[property]") {
  const TempFolder folder;
  for (size_t length = 0; length < kGood.size(); ++length) {
    put_fresh(folder / "f", kGood.substr(0, length));
    INFO("cut to " << length);
    REQUIRE_FALSE(refusal(folder / "f").empty());
  }
  put_fresh(folder / "f", kGood);
  CHECK(refusal(folder / "f").empty());
}

TEST_CASE("A damaged file is read or refused, and never does harm", "[property]") {
  const TempFolder folder;
  RandomStream random(20261123, 1);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = kGood;
    for (uint64_t hits = 1 + random.below(3); hits > 0; --hits) {
      const size_t at = random.below(bytes.size());
      const char* tokens = "0123456789[]{},:\"-.eE \\";
      if (random.below(2) == 0) bytes[at] = static_cast<char>(random.below(256));
      if (random.below(2) == 0) bytes[at] = tokens[random.below(23)];
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
    }
    put_fresh(folder / "f", bytes);
    refused += !refusal(folder / "f").empty();
  }
  CHECK(refused > 1500);
  CHECK(refused < 3000);
}

// For tests/reference/safetensors_verdicts.py; not part of a plain run. We may refuse more than the reference does, for
// reasons that are listed here, and never less.
TEST_CASE("Damaged headers get the reference's verdict", "[.][reference]") {
  const char* path = std::getenv("R1_SAFETENSORS_CASES");
  REQUIRE(path != nullptr);
  const std::string cases = slurp(path);
  const TempFolder folder;
  int count = 0, stricter = 0;
  for (size_t at = 0; at + 5 <= cases.size(); ++count) {
    uint32_t length;
    std::memcpy(&length, cases.data() + at, sizeof length);
    const bool is_accepted = cases[at + 4] == 1;
    const std::string bytes = cases.substr(at + 5, length);
    at += 5 + length;
    put_fresh(folder / "f", bytes);
    const std::string text = refusal(folder / "f");
    if (text.empty() == is_accepted) continue;
    INFO(bytes.substr(8) << "\n" << text);
    const bool is_listed = text.find("stands twice") != text.npos || text.find("more than any tensor has") != text.npos;
    REQUIRE(is_accepted);
    CHECK(is_listed);
    ++stricter;
  }
  WARN(count << " cases, " << stricter << " refused beyond the reference");
  CHECK(count > 0);
}
