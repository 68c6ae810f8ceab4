#include "text/bpe_trainer.h"

#include "core/error.h"
#include "core/json.h"
#include "tests/support/catch.h"
#include "text/byte_map.h"
#include "text/tokenizer_data.h"

using r1::Error;
using namespace r1::text;

namespace {

std::vector<std::string> strings_of(const r1::json::bj::value& v) {
  std::vector<std::string> texts;
  for (const auto& text : v.as_array()) texts.emplace_back(text.as_string());
  return texts;
}

std::vector<std::string> integers(int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back(std::to_string(i));
  return texts;
}

BpeTrainerOptions small_options() {
  BpeTrainerOptions options;
  options.vocab_size = 900;
  options.special_tokens = {"<|pad|>", "<|eos|>"};
  options.required_tokens = integers(401);
  options.eos = "<|eos|>";
  options.pad = "<|pad|>";
  return options;
}

const std::string kText = "So 12 + 7 = 19, wait, let me try 400 - 12 again. Wait: 388!\n";

Tokenizer trained(const BpeTrainerOptions& options) {
  BpeTrainer trainer(options);
  trainer.add(kText, 5);
  trainer.add("wait wait <|eos|> let me try\n", 3);
  return trainer.train();
}

}  // namespace

TEST_CASE("training gives the vocabulary and merges of HF tokenizers' trainer", "[golden]") {
  const auto golden = r1::json::parse_file(R1_FIXTURES "/tokenizers/trainer.json").as_object();
  const auto corpus = strings_of(golden.at("corpus"));
  for (const auto& entry : golden.at("cases").as_array()) {
    const auto& c = entry.as_object();
    BpeTrainerOptions options;
    options.pre_tokenizer = pre_tokenizer_of(std::string(c.at("pre_tokenizer").as_string()));
    options.vocab_size = static_cast<int32_t>(c.at("vocab_size").as_int64());
    options.min_frequency = c.at("min_frequency").as_int64();
    options.special_tokens = strings_of(c.at("special_tokens"));
    BpeTrainer trainer(options);
    for (const auto& line : corpus) trainer.add(line);
    const auto tokenizer = trainer.train();
    INFO(c.at("pre_tokenizer").as_string().c_str() << " " << options.vocab_size);

    const auto& parts = tokenizer.data().parts;
    const auto vocab = strings_of(c.at("vocab"));
    REQUIRE(parts.vocab.size() == vocab.size());
    for (size_t id = 0; id < vocab.size(); ++id) CHECK(parts.vocab.text(static_cast<int32_t>(id)) == vocab[id]);
    const auto& merges = c.at("merges").as_array();
    REQUIRE(parts.merges.size() == merges.size());
    for (size_t rank = 0; rank < merges.size(); ++rank) {
      const auto pair = strings_of(merges[rank]);
      CHECK(parts.vocab.text(parts.merges[rank].left) == pair[0]);
      CHECK(parts.vocab.text(parts.merges[rank].right) == pair[1]);
    }
  }
}

TEST_CASE("required tokens are one token wherever they are a piece") {
  const auto tokenizer = trained(small_options());
  for (int i = 0; i <= 400; ++i) {
    const auto ids = tokenizer.encode(std::to_string(i));
    REQUIRE(ids.size() == 1);
    CHECK(tokenizer.token_text(ids[0]) == std::to_string(i));
  }
  const auto ids = tokenizer.encode("(12+7)*400");
  CHECK(std::count(ids.begin(), ids.end(), *tokenizer.id_of("12")) == 1);
  CHECK(std::count(ids.begin(), ids.end(), *tokenizer.id_of("400")) == 1);
  CHECK(tokenizer.encode("4012").size() == 2);  // not required, so made of tokens that are
}

TEST_CASE("required words whose merges cross each other all stay whole", "[property]") {
  auto options = small_options();
  options.required_tokens = {"abab", "baba", "ab", "aba", "aaaa", "aaa", "bab", "abcabc", "cabca"};
  BpeTrainer trainer(options);
  trainer.add("abab baba aaaa aaaaaaa abcabcabc cabcab ab ba bab", 10);
  const auto tokenizer = trainer.train();
  for (const auto& token : options.required_tokens) {
    INFO(token);
    CHECK(tokenizer.encode(token).size() == 1);
  }
}

TEST_CASE("special tokens come first, have their roles, and are not learned from") {
  const auto tokenizer = trained(small_options());
  CHECK(tokenizer.id_of("<|pad|>") == 0);
  CHECK(tokenizer.eos_id() == 1);
  CHECK(tokenizer.pad_id() == 0);
  CHECK_FALSE(tokenizer.bos_id());
  CHECK(tokenizer.encode("wait<|eos|>").back() == 1);
  CHECK(tokenizer.encode("<|eos|>", {.added = AddedTokens::kNone}).size() > 1);
  for (int32_t id = 2; id < tokenizer.vocab_size(); ++id) {
    CHECK(tokenizer.token_text(id).find("<|eos") == std::string_view::npos);
  }
}

TEST_CASE("a trained tokenizer decodes what it encodes and drops no byte") {
  const auto tokenizer = trained(small_options());
  for (const auto& text : {kText, std::string("\u4f60\u597d \U0001f642\t\r\n\x01 000123 "), std::string()}) {
    CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
  }
}

TEST_CASE("training the same text again, in another order, gives the same file") {
  const auto options = small_options();
  BpeTrainer other(options);
  other.add("wait wait <|eos|> let me try\n", 1);
  for (int i = 0; i < 5; ++i) other.add(kText);
  other.add("wait wait <|eos|> let me try\n", 2);
  CHECK(trained(options).to_json() == trained(options).to_json());
  CHECK(trained(options).to_json() == other.train().to_json());
}

TEST_CASE("a trained tokenizer that is saved and loaded again is the same") {
  const auto tokenizer = trained(small_options());
  const auto folder = std::filesystem::temp_directory_path() / "r1_bpe_trainer_test";
  std::filesystem::remove_all(folder);
  tokenizer.save(folder);
  const auto loaded = Tokenizer::from_file(folder);
  CHECK(loaded.to_json() == tokenizer.to_json());
  CHECK(loaded.eos_id() == tokenizer.eos_id());
  CHECK(loaded.encode(kText) == tokenizer.encode(kText));
  std::filesystem::remove_all(folder);
}

TEST_CASE("training options that cannot be met are refused") {
  struct Case {
    std::function<void(BpeTrainerOptions&)> change;
    const char* named;
    const char* why;
  };
  const std::vector<Case> cases = {
      {[](auto& o) { o.vocab_size = 257; }, "258 to", "256 bytes and 2 special tokens"},
      {[](auto& o) { o.vocab_size = 1 << 25; }, "vocab_size is 33554432", "no vocabulary is so large"},
      {[](auto& o) { o.required_tokens = {"12 3"}; }, "cut into 3 pieces", "the pre-tokenizer cuts it"},
      {[](auto& o) { o.required_tokens = {""}; }, "empty", "no text"},
      {[](auto& o) { o.required_tokens = {"\xff"}; }, "not UTF-8", "no text"},
      {[](auto& o) {
         o.special_tokens = {"<a>", "<a>"};
       },
       "twice", "ids are one each"},
      {[](auto& o) { o.special_tokens = {"a"}; }, "how a byte is written", "the byte has that text"},
      {[](auto& o) { o.required_tokens = {"x"}, o.special_tokens.push_back("xx"), o.bos = "<b>"; }, "'<b>' has a role",
       "no such token"},
      {[](auto& o) { o.special_tokens.push_back("wait"), o.required_tokens = {"waits"}; }, "holds the special token",
       "it would be cut"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    auto options = small_options();
    c.change(options);
    CHECK_THROWS_WITH(BpeTrainer(options), Catch::Contains(c.named));
  }
  auto options = small_options();
  options.vocab_size = 300;
  CHECK_THROWS_WITH(BpeTrainer(options).train(),
                    Catch::Contains("required ones") && Catch::Contains("set vocab_size to"));
  CHECK_THROWS_WITH(pre_tokenizer_of("bert"), Catch::Contains("digits-together"));
}

TEST_CASE("a megabyte without a blank and text of one letter train in bounded time") {
  BpeTrainerOptions options;
  options.vocab_size = 600;
  BpeTrainer trainer(options);
  trainer.add(std::string(1 << 20, 'a'));
  std::string mixed;
  for (int i = 0; i < 1 << 16; ++i) mixed += static_cast<char>('a' + (i * i) % 26);
  trainer.add(mixed);
  const auto tokenizer = trainer.train();
  CHECK(tokenizer.vocab_size() <= 600);
  CHECK(tokenizer.decode(tokenizer.encode(mixed)) == mixed);
}

TEST_CASE("no text at all trains to the bytes") {
  BpeTrainerOptions options;
  options.vocab_size = 1000;
  CHECK(BpeTrainer(options).train().vocab_size() == 256);
}
