// Malformed GGUF files, among them those that broke other readers: llama.cpp #18674, #19856, #24997, #26318, #26690,
// #15711, CVE-2025-49847, and #27188 (gguf-py), each named where it stands.

#include "core/error.h"
#include "formats/gguf.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/formats/put_fresh.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::formats;
using namespace gguf_bytes;

namespace {

struct Case {
  const char* why;
  std::string bytes;
  const char* fragment;  // of the error's text
};

std::string with_key(const std::string& one_pair) { return header(0, 1) + one_pair; }
// A tensor table and 64 bytes of data.
std::string with_tensor(const std::string& row) { return padded(header(1, 0) + row) + std::string(64, '\0'); }
std::string with_tensors(const std::string& first, const std::string& second) {
  return padded(header(2, 0) + first + second) + std::string(64, '\0');
}
std::string with_alignment(uint32_t type, const std::string& value) {
  return padded(header(1, 1) + pair("general.alignment", type, value) + tensor("w", {4}, kTypeF32, 0)) +
         std::string(64, '\0');
}
std::string cut_to(std::string bytes, size_t length) {
  bytes.resize(length, '\0');
  return bytes;
}

void check_all(std::initializer_list<Case> cases) {
  const TempFolder folder;
  const std::string path = (folder / "bad.gguf").string();
  for (const Case& c : cases) {
    INFO(c.why);
    put_fresh(path, c.bytes);
    std::string text = "accepted";
    try {
      const GgufFile file(path);
    } catch (const Error& e) {
      text = e.what();
    }
    CHECK_THAT(text, Catch::StartsWith(path) && Catch::Contains(c.fragment));
    CHECK(text.size() < 800);
  }
}

}  // namespace

TEST_CASE("A GGUF file with a bad beginning is refused by name") {
  check_all({
      {"empty", "", "4 bytes are wanted, 0 are left"},
      {"cut within the magic", "GG", "4 bytes are wanted, 2 are left"},
      {"another format", cut_to("PK\3\4", 64), "begins with 0x504b0304, not with \"GGUF\""},
      {"lower case", cut_to("gguf" + u32(3), 64), "not with \"GGUF\""},
      {"version 0", header(0, 0, 0), "version 0; 2 and 3 are read"},
      {"version 1", header(0, 0, 1), "version 1; 2 and 3 are read"},
      {"version 4", header(0, 0, 4), "version 4; 2 and 3 are read"},
      {"big-endian", header(0, 0, 0x03000000), "in little-endian form only"},
      {"cut behind the version", "GGUF" + u32(3), "8 bytes are wanted, 0 are left"},
      {"cut behind the number of tensors", "GGUF" + u32(3) + u64(0), "8 bytes are wanted, 0 are left"},
      {"every tensor there could be", header(UINT64_MAX, 0), "18446744073709551615 tensors; at most 1048576"},
      {"tensors that the file has no room for", header(1000, 0), "1000 tensors need at least 25000 bytes, 0 are left"},
      {"#15711: tensors times their overhead wraps", header(0x0ccccccccccccccd, 0), "tensors; at most 1048576"},
      {"every key there could be", header(0, UINT64_MAX), "18446744073709551615 metadata keys; at most 65536"},
      {"keys that the file has no room for", header(0, 60000), "60000 metadata keys need at least"},
      {"#27188: 43 bytes that claim 2^60 keys", cut_to(header(0, uint64_t{1} << 60), 43), "metadata keys; at most"},
      {"#27188: 43 bytes that claim 2^60 tensors", cut_to(header(uint64_t{1} << 60, 0), 43), "tensors; at most"},
      {"#27188: 43 bytes that claim a few tensors", cut_to(header(2, 0), 43),
       "2 tensors need at least 50 bytes, 19 are left"},
  });
}

TEST_CASE("A GGUF file with bad metadata is refused by its key") {
  const std::string high_byte = "k\x80";
  check_all({
      {"a key without end", with_key(u64(UINT64_MAX) + "abcdef"), "a key of 18446744073709551615 bytes; at most 65535"},
      {"a key longer than the format allows", with_key(pair(std::string(65536, 'k'), kU8, "1")),
       "a key of 65536 bytes"},
      {"a key cut short", with_key(u64(8) + "abcdef"), "8 bytes are wanted, 6 are left"},
      {"an empty key", with_key(pair("", kU32, u32(1))), "the key '' is empty or not plain ASCII"},
      {"a key with a newline", with_key(pair("a\nb", kU32, u32(1))), "the key 'a\\nb'"},
      {"a key beyond ASCII", with_key(pair(high_byte, kU32, u32(1))), "not plain ASCII"},
      {"an unknown type", with_key(pair("k", 13, u32(1))), "metadata key 'k' at byte"},
      {"no type there could be", with_key(pair("k", UINT32_MAX, u32(1))),
       "value of type 4294967295; the types are 0 to 12"},
      {"a bool of 2", with_key(pair("k", kBool, num<uint8_t>(2))), "a bool of 2"},
      {"a number cut short", with_key(pair("key", kU64, "1234")), "8 bytes are wanted, 4 are left"},
      {"#19856: a string without end", with_key(pair("k", kString, u64(UINT64_MAX))),
       "a string of 18446744073709551615 bytes"},
      {"#19856: a string of 2^63 bytes", with_key(pair("k", kString, u64(uint64_t{1} << 63))),
       "a string of 9223372036854775808"},
      {"a string past the end", with_key(pair("k", kString, u64(100) + "abc")), "100 bytes are wanted, 3 are left"},
      {"a key twice", header(0, 2) + pair("k", kU32, u32(1)) + pair("k", kU32, u32(1)),
       "metadata key 'k' at byte 50: stands twice"},
      {"#26690: an unknown element type", with_key(array("k", 13, 100, std::string(1500, 'x'))),
       "array of type 13; the types are"},
      {"#26690: no element type there could be", with_key(array("k", UINT32_MAX, 1, "x")), "array of type 4294967295"},
      {"an array of arrays", with_key(array("k", kArray, 1, u32(0) + u64(1) + "x")),
       "metadata key 'k' at byte 49: an array of arrays"},
      {"arrays within arrays without end", with_key(array("k", kArray, UINT64_MAX, std::string(300, '\x09'))),
       "an array of arrays"},
      {"#19856: an array without end", with_key(array("k", kU8, UINT64_MAX, "x")),
       "18446744073709551615 array elements; at most 16777216"},
      {"an array whose bytes wrap to nothing", with_key(array("k", kU64, uint64_t{1} << 61, "x")),
       "array elements; at most"},
      {"an array one above the limit", with_key(array("k", kU8, (1 << 24) + 1, "x")),
       "16777217 array elements; at most 16777216"},
      {"an array of numbers past the end", with_key(array("k", kU32, 10, u32(1))),
       "10 array elements need at least 40 bytes, 4 are left"},
      {"an array of strings that has no room", with_key(array("k", kString, 1 << 20, text("a"))),
       "1048576 array elements need at least 8388608"},
      {"a string of an array past the end", with_key(array("k", kString, 2, text("a") + u64(9) + "b")),
       "9 bytes are wanted, 1 are left"},
      {"a bool of 2 in an array", with_key(array("k", kBool, 2, "\x01\x02")),
       "an array of bools holds other than 0 and 1"},
      {"a number above 2^63 in an array", with_key(array("k", kU64, 1, u64(UINT64_MAX))), "a number above 2^63 - 1"},
      {"CVE-2025-49847: a token of 2^31 bytes",
       with_key(array("tokenizer.ggml.tokens", kString, 2, text("a") + u64(uint64_t{1} << 31) + "b")),
       "metadata key 'tokenizer.ggml.tokens' at byte 86: a string of 2147483648 bytes"},
  });
}

TEST_CASE("A GGUF file with a bad alignment is refused") {
  check_all({
      {"zero", with_alignment(kU32, u32(0)), "'general.alignment' at byte 57: is 0; a power of two from 8 to 1048576"},
      {"below the format's", with_alignment(kU32, u32(4)), "is 4; a power of two"},
      {"no power of two", with_alignment(kU32, u32(24)), "is 24; a power of two"},
      {"#24997: 0x80000000", with_alignment(kU32, u32(0x80000000)), "is 2147483648; a power of two"},
      {"negative", with_alignment(kI32, num<int32_t>(-32)), "is -32; a power of two"},
      {"above any number", with_alignment(kU64, u64(UINT64_MAX)),
       "is a whole number above 2^63 - 1, not a whole number"},
      {"a string", with_alignment(kString, text("32")), "is a string, not a whole number"},
  });
}

TEST_CASE("A GGUF file with a bad tensor is refused by its name") {
  const std::string high_byte = "w\xff";
  const uint64_t k2_42 = uint64_t{1} << 42;
  check_all({
      {"a name without end", with_tensor(u64(UINT64_MAX) + std::string(24, 'w')),
       "a name of 18446744073709551615 bytes; at most 64"},
      {"a name above the format's 64 bytes", with_tensor(tensor(std::string(65, 'w'), {1}, 0, 0)),
       "a name of 65 bytes; at most 64"},
      {"an empty name", with_tensor(tensor("", {1}, 0, 0)), "tensor 1 of 1 at byte 32: the name '' is empty"},
      {"a name beyond ASCII", with_tensor(tensor(high_byte, {1}, 0, 0)), "not plain ASCII"},
      {"five dimensions", with_tensor(tensor("w", {1, 1, 1, 1, 1}, 0, 0)),
       "tensor 'w' at byte 37: 5 dimensions; at most 4"},
      {"dimensions without end", with_tensor(text("w") + u32(UINT32_MAX) + u64(1)), "4294967295 dimensions; at most 4"},
      {"a dimension of 0", with_tensor(tensor("w", {4, 0}, 0, 0)), "dimension 1 is 0"},
      {"a dimension of 2^63", with_tensor(tensor("w", {uint64_t{1} << 63}, 0, 0)),
       "dimension 0 is 9223372036854775808"},
      {"#18674: 2^42 + 1, times more, wraps", with_tensor(tensor("w", {4, k2_42 + 1, 1 << 20}, 0, 0)),
       "more elements than 63 bits can count"},
      {"#18674: 2^42 + 1 alone", with_tensor(tensor("w", {k2_42 + 1}, 0, 0)), "but the file has 64 bytes of data"},
      {"elements that wrap to 0", with_tensor(tensor("w", {uint64_t{1} << 32, uint64_t{1} << 32}, 0, 0)),
       "more elements than 63 bits"},
      {"bytes that wrap", with_tensor(tensor("w", {uint64_t{1} << 62}, 0, 0)), "more bytes than 64 bits can count"},
      {"#26318: padding to the alignment wraps", with_tensor(tensor("w", {(uint64_t{1} << 62) - 1}, 0, 0)),
       "tensor 'w' at byte 57: offset 0 and 18446744073709551612 bytes, but the file has 64"},
      {"a type that was taken away", with_tensor(tensor("w", {32}, 4, 0)), "type 4 is unknown"},
      {"a type that weights do not have", with_tensor(tensor("w", {32}, kTypeQ8_1, 0)), "type 9 (Q8_1) is not read"},
      {"a type that we do not read", with_tensor(tensor("w", {32}, kTypeMxfp4, 0)), "type 39 (MXFP4) is not read"},
      {"no type there could be", with_tensor(tensor("w", {32}, UINT32_MAX, 0)), "type 4294967295 is unknown"},
      {"rows that are no blocks", with_tensor(tensor("w", {33}, kTypeQ4_0, 0)),
       "rows of 33 elements; Q4_0 stores blocks of 32"},
      {"blocks across rows", with_tensor(tensor("w", {16, 2}, kTypeQ4_0, 0)), "rows of 16 elements"},
      {"rows that are no super-blocks", with_tensor(tensor("w", {128}, kTypeQ4_K, 0)), "Q4_K stores blocks of 256"},
      {"a number in blocks", with_tensor(tensor("w", {}, kTypeQ4_0, 0)), "rows of 1 elements"},
      {"an offset that is not aligned", with_tensor(tensor("w", {4}, kTypeF32, 8)),
       "offset 8 is no multiple of the alignment 32"},
      {"an offset past the end", with_tensor(tensor("w", {4}, kTypeF32, 96)),
       "offset 96 and 16 bytes, but the file has 64"},
      {"an offset that wraps", with_tensor(tensor("w", {16}, kTypeF32, UINT64_MAX - 31)),
       "offset 18446744073709551584 and 64 bytes"},
      {"data cut short by a byte", with_tensor(tensor("w", {16}, kTypeF32, 0)).substr(0, 127),
       "but the file has 63 bytes of data"},
      {"no data at all", header(1, 0) + tensor("w", {1}, kTypeF32, 0), "but the file has 0 bytes of data"},
      {"a table cut short", (header(1, 0) + tensor("w", {1}, kTypeF32, 0)).substr(0, 50),
       "are left: the file is cut short"},
      {"a name twice", with_tensors(tensor("w", {4}, 0, 0), tensor("w", {4}, 0, 32)),
       "tensor 'w' at byte 90: stands twice"},
      {"two tensors in one place", with_tensors(tensor("a", {4}, 0, 0), tensor("b", {4}, 0, 0)), "lies within tensor"},
      {"a tensor within another", with_tensors(tensor("a", {16}, 0, 0), tensor("b", {4}, 0, 32)),
       "tensor 'b' at byte 90: offset 32 lies within tensor 'a'"},
  });
}

TEST_CASE("A file that is large for its holes is bounded all the same") {
  // Four gigabytes that take no disk: the file's size allows everything that it claims.
  const TempFolder folder;
  const std::string path = (folder / "sparse.gguf").string();
  const struct {
    std::string bytes;
    const char* fragment;
  } cases[] = {
      {with_key(pair("k", kString, u64(uint64_t{1} << 31))), "a string of 2147483648 bytes; at most 268435456"},
      {with_key(pair("k", kString, u64((uint64_t{1} << 28) - 10))), "the header goes on past 268435456 bytes"},
      {with_key(array("k", kString, uint64_t{1} << 28, "")), "268435456 array elements; at most 16777216"},
      {header(0, uint64_t{1} << 27), "134217728 metadata keys; at most 65536"},
      {header(uint64_t{1} << 26, 0), "67108864 tensors; at most 1048576"},
  };
  for (const auto& c : cases) {
    put_fresh(path, c.bytes);
    std::filesystem::resize_file(path, uint64_t{1} << 32);
    CHECK_THROWS_WITH(GgufFile(path), Catch::Contains(c.fragment));
  }
}
