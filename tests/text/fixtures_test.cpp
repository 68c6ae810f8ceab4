// Golden: what HF tokenizers 0.23.3 made of every string of tests/fixtures/tokenizers.

#include "core/files.h"
#include "core/json.h"
#include "tests/support/catch.h"
#include "text/byte_map.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

using namespace r1::text;
namespace bj = r1::json::bj;

namespace {

std::vector<int32_t> ids_of(const bj::value& v) {
  std::vector<int32_t> ids;
  for (const auto& id : v.as_array()) ids.push_back(static_cast<int32_t>(id.as_int64()));
  return ids;
}

std::vector<std::string> texts_of(const bj::value& v) {
  std::vector<std::string> texts;
  for (const auto& text : v.as_array()) texts.emplace_back(text.as_string());
  return texts;
}

std::string text_at(const bj::object& o, const char* key) { return std::string(o.at(key).as_string()); }

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

}  // namespace

TEST_CASE("every string of the fixtures gets the reference's ids, pieces and text", "[golden]") {
  const std::string name = GENERATE("gpt2", "smollm2", "qwen2", "llama3", "deepseek_v3");
  const std::string folder = R1_FIXTURES "/tokenizers/" + name;
  const auto tokenizer = Tokenizer::from_file(folder + "/tokenizer.json");
  int num_cases = 0;
  r1::for_each_line(folder + "/cases.jsonl", [&](int64_t line, std::string_view text_of_line) {
    const auto c = r1::json::parse(text_of_line, name).as_object();
    const auto text = text_at(c, "text");
    const auto ids = ids_of(c.at("ids")), ids_special = ids_of(c.at("ids_special"));
    INFO(name << " line " << line << ": " << text);
    CHECK(tokenizer.encode(text) == ids);
    CHECK(tokenizer.encode(text, Specials::kAdd) == ids_special);
    CHECK(tokenizer.pre_tokenize(text) == texts_of(c.at("pre")));
    CHECK(tokenizer.decode(ids) == text_at(c, "decoded"));
    CHECK(tokenizer.decode(ids_special, SkipSpecial::kYes) == text_at(c, "decoded_skip_special"));
    ++num_cases;
  });
  CHECK(num_cases >= 427);
}

TEST_CASE("ids that make no UTF-8 decode with one U+FFFD for each maximal invalid prefix", "[golden]") {
  const auto tokenizer = Tokenizer::from_file(R1_FIXTURES "/tokenizers/qwen2/tokenizer.json");
  const auto golden = r1::json::parse_file(R1_FIXTURES "/tokenizers/qwen2/invalid_utf8.json");
  for (const auto& entry : golden.as_array()) {
    const auto& c = entry.as_object();
    INFO(text_at(c, "bytes_hex"));
    CHECK(tokenizer.decode(ids_of(c.at("ids"))) == text_at(c, "decoded"));
    CHECK(to_valid_utf8(bytes_of_hex(text_at(c, "bytes_hex"))) == text_at(c, "decoded"));
  }
}

TEST_CASE("streamed ids give the text of all ids, wherever a character is cut", "[golden]") {
  const auto tokenizer = Tokenizer::from_file(R1_FIXTURES "/tokenizers/qwen2/tokenizer.json");
  const auto check = [&](const std::vector<int32_t>& ids) {
    StreamDecoder decoder(tokenizer);
    std::string streamed;
    for (const int32_t id : ids) {
      const auto piece = decoder.push(id);
      CHECK(is_valid_utf8(piece));
      streamed += piece;
    }
    streamed += decoder.flush();
    CHECK(streamed == tokenizer.decode(ids));
    CHECK(decoder.flush().empty());
  };
  const auto golden = r1::json::parse_file(R1_FIXTURES "/tokenizers/qwen2/invalid_utf8.json");
  for (const auto& entry : golden.as_array()) {
    const auto ids = ids_of(entry.as_object().at("ids"));
    for (size_t split = 0; split <= ids.size(); ++split) {  // whatever the stream is broken off at
      check({ids.begin(), ids.begin() + static_cast<ptrdiff_t>(split)});
    }
  }
  check(tokenizer.encode("caf\u00e9 \u4f60\u597d \U0001f642\U0001f3fd <|im_end|> \u0e2a"));
}

TEST_CASE("a stream gives out a character with the id that completes it") {
  const auto tokenizer = Tokenizer::from_file(R1_FIXTURES "/tokenizers/gpt2/tokenizer.json");
  std::vector<int32_t> ids;  // the three bytes of U+4F60, one id each
  for (const int byte : {0xE4, 0xBD, 0xA0}) {
    ids.push_back(*tokenizer.id_of(mapped_text(std::string(1, static_cast<char>(byte)))));
  }
  StreamDecoder decoder(tokenizer);
  CHECK(decoder.push(ids[0]).empty());
  CHECK(decoder.push(ids[1]).empty());
  CHECK(decoder.push(ids[2]) == "\u4f60");
  CHECK(decoder.push(ids[0]).empty());
  CHECK(decoder.push(*tokenizer.id_of("a")) == "\uFFFDa");  // known to be invalid now
  CHECK(decoder.push(ids[0]).empty());
  CHECK(decoder.flush() == "\uFFFD");
}

TEST_CASE("a stream may leave special tokens out") {
  const auto tokenizer = Tokenizer::from_file(R1_FIXTURES "/tokenizers/qwen2/tokenizer.json");
  StreamDecoder decoder(tokenizer, SkipSpecial::kYes);
  std::string text;
  for (const int32_t id : tokenizer.encode("a<|im_start|>b")) text += decoder.push(id);
  CHECK(text == "ab");
}

TEST_CASE("bytes are written as GPT-2 writes them", "[golden]") {
  const auto map = r1::json::parse_file(R1_FIXTURES "/tokenizers/byte_to_unicode.json").as_object();
  CHECK(map.size() == 256);
  for (const auto& entry : map) {
    const std::string byte(1, static_cast<char>(std::stoi(std::string(entry.key()))));
    CHECK(mapped_text(byte) == std::string(entry.value().as_string()));
    std::string back;
    CHECK(append_unmapped(entry.value().as_string(), back));
    CHECK(back == byte);
  }
  for (const char* text : {" ", "\n", "\u0144", "\u4f60", "\xC3", "\xC3(", "\x80"}) {
    std::string out = "kept";
    CHECK_FALSE(append_unmapped(text, out));
    CHECK(out == "kept");
  }
}
