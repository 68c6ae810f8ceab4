#include "core/hash.h"

#include <vector>

#include "tests/support/catch.h"

namespace r1 {
namespace {

std::vector<std::byte> pattern(size_t size) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + size);
  return bytes;
}

TEST_CASE("hash64 is XXH3 of 64 bits, as published") {
  CHECK(hash64("") == 0x2d06800538d394c2);
  CHECK(hash64("a") == 0xe6c632b61e964e1f);
  CHECK(hash64("abc") == 0x78af5f94892f3950);
  CHECK(hash64("abc", 1) != hash64("abc"));
}

TEST_CASE("A stream hash depends on the bytes and not on how they are cut") {
  const auto bytes = pattern(3000);
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{63}, size_t{256}, size_t{1025}, bytes.size()}) {
    INFO("cut at " << cut);
    StreamHash hash;
    hash.add(std::span(bytes).first(cut));
    hash.add(std::span(bytes).subspan(cut));
    CHECK(hash.value() == hash64(bytes));
    CHECK(hash.value() == hash64(bytes));  // asking changes nothing
  }
  StreamHash text;
  text.add("ab");
  text.add("c");
  CHECK(text.value() == hash64("abc"));
}

TEST_CASE("to_hex writes sixteen lower-case digits") {
  CHECK(to_hex(0) == "0000000000000000");
  CHECK(to_hex(0xABCDEF) == "0000000000abcdef");
  CHECK(to_hex(~uint64_t{0}) == "ffffffffffffffff");
}

TEST_CASE("sha256_hex gives the standard's examples") {
  struct Row {
    const char* text;
    const char* digest;
  };
  // FIPS 180-2, appendix B.
  const Row rows[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
  };
  for (const Row& row : rows) {
    CHECK(sha256_hex(std::as_bytes(std::span(std::string_view(row.text)))) == row.digest);
  }
  const std::string million(1000000, 'a');
  CHECK(sha256_hex(std::as_bytes(std::span(million))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256_hex is right at every length near the ends of a block") {
  struct Row {
    size_t size;
    const char* digest;
  };
  // Python: hashlib.sha256(bytes((i * 7 + n) & 255 for i in range(n))).hexdigest()
  const Row rows[] = {
      {1, "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"},
      {55, "81afe5b788dc2ce138ff83d9b20164db75a94d75d2b2432eea4a0ef605088c72"},
      {56, "2aba54f0ac632420a2b502431408866e40e1d5e430df4cd822642c78ab2eb9c1"},
      {57, "903284efbf9100e8ba1614ec65eacacad125e03f857cae7acbf8b73b23e0fdfe"},
      {63, "733d3d4ee79ee67145bf73da13588f6f235d37414fc64b14a2f00f1762792f5e"},
      {64, "79322907b3e9d013d7dc2c2f256674dbf733045cde01df3539271c6f5605feb8"},
      {65, "d85c007c6eb440f085afa2b84f6f2bce4658b240e9f62cb1364bf0485a57e720"},
      {119, "6c87eedf096b345de205b702e5223b73b447a3207791ded3ea007ba15ed6736e"},
      {120, "42500cf6a1e3936d6b9e0bcfe296d654b63255e525487d3634d0b15fde591c4d"},
      {127, "68f6ff710276900c0ffbbc57426f67e00c2e01f0750c7edc25ac06b8ce7a8095"},
      {128, "489d55fea9a73af36b6dd0be7b4117d8e5683386d39544e8a44c99a87f368707"},
      {129, "4e1556b2e9a50a3cc9478f3254727b01065f9ac5d2c3a8b4cd538ae7240bb87d"},
      {1000, "6b0df76627243d095b0c4400cb658b7e804dd03461cc03aee8fc8fe0bcada168"},
  };
  for (const Row& row : rows) {
    INFO(row.size << " bytes");
    CHECK(sha256_hex(pattern(row.size)) == row.digest);
  }
}

}  // namespace
}  // namespace r1
