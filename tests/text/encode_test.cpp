#include <chrono>
#include <thread>

#include "core/json.h"
#include "tests/support/catch.h"
#include "tests/text/random_text.h"
#include "tests/text/small_tokenizer.h"
#include "text/bpe.h"
#include "text/tokenizer.h"

using namespace r1::text;

namespace {

Tokenizer fixture(const std::string& name) {
  return Tokenizer::from_file(R1_FIXTURES "/tokenizers/" + name + "/tokenizer.json");
}

// Tokens with every flag, on the small vocabulary.
Tokenizer with_token(const char* content, const char* flag) {
  auto file = small_tokenizer_json();
  auto& token = file["added_tokens"].as_array()[0].as_object();
  token["content"] = content;
  if (*flag) token[flag] = true;
  for (const char* more : {" ", "x"}) {
    file["model"].as_object()["vocab"].as_object()[*more == ' ' ? "\u0120" : more] = *more == ' ' ? 10 : 11;
  }
  return Tokenizer::from_json(r1::json::dump(file), "t.json");
}

}  // namespace

TEST_CASE("text of unknown origin can be kept from spelling added tokens") {
  const auto t = fixture("qwen2");
  const int32_t start = *t.id_of("<|im_start|>"), tool = *t.id_of("<tool_call>");
  const std::string text = "a<|im_start|><tool_call>";
  const auto has = [](const std::vector<int32_t>& ids, int32_t id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  const auto all = t.encode(text), not_special = t.encode(text, {.added = AddedTokens::kNotSpecial}),
             none = t.encode(text, {.added = AddedTokens::kNone});
  CHECK((has(all, start) && has(all, tool)));
  CHECK((!has(not_special, start) && has(not_special, tool)));
  CHECK((!has(none, start) && !has(none, tool)));
  CHECK(t.decode(not_special) == text);
  CHECK(t.decode(none) == text);
}

TEST_CASE("added tokens strip blanks and keep to words as their flags say") {
  struct Case {
    const char* content;
    const char* flag;
    const char* text;
    size_t num_ids;
    const char* why;
  };
  const auto c = GENERATE(values<Case>({
      {"<s>", "", "a <s> b", 5, "without flags the blanks stay"},
      {"<s>", "lstrip", "a <s> b", 4, "the blank before goes"},
      {"<s>", "rstrip", "a <s> b", 4, "the blank after goes"},
      {"<s>", "lstrip", "   <s>   <s>", 2, "blanks between two belong to the second"},
      {"bb", "single_word", "a bb a", 5, "a word alone"},
      {"bb", "single_word", "cbb a", 5, "a word that begins elsewhere is no match"},
      {"bb", "single_word", "bbx", 3, "nor one that goes on"},
  }));
  INFO(c.why);
  CHECK(with_token(c.content, c.flag).encode(c.text).size() == c.num_ids);
}

TEST_CASE("of added tokens that begin at one place the longest counts") {
  auto file = small_tokenizer_json();
  file["added_tokens"].as_array()[0].as_object()["content"] = "<think>a";
  const auto t = Tokenizer::from_json(r1::json::dump(file), "t.json");
  CHECK(t.encode("<think>ab") == std::vector<int32_t>{8, 1});
  CHECK(t.encode("<think>b") == std::vector<int32_t>{9, 1});
}

TEST_CASE("a normalized added token is found in normalized text only") {
  auto file = small_tokenizer_json();
  file["normalizer"] = r1::json::bj::object{{"type", "NFC"}};
  auto& tokens = file["added_tokens"].as_array();
  tokens[0].as_object()["content"] = "\u00e9";
  tokens[1].as_object()["content"] = "e\u0301e\u0301";
  tokens[0].as_object()["normalized"] = true;
  const auto t = Tokenizer::from_json(r1::json::dump(file), "t.json");
  CHECK(t.encode("\u00e9") == std::vector<int32_t>{8});
  CHECK(t.encode("e\u0301") == std::vector<int32_t>{8});
  CHECK(t.encode("e\u0301e\u0301") == std::vector<int32_t>{9});  // sought in the text as given
  CHECK(t.encode("\u00e9\u00e9") == std::vector<int32_t>{8, 8});
}

TEST_CASE("invalid UTF-8 encodes as its replacement characters") {
  const auto t = fixture("gpt2");
  CHECK(t.encode("a\xff\xe4\xbd") == t.encode("a\uFFFD\uFFFD"));
  CHECK(t.pre_tokenize("\xff") == std::vector<std::string>{"\uFFFD"});
}

TEST_CASE("what is encoded decodes to the text, normalized where the file says so", "[property]") {
  const std::string name = GENERATE("gpt2", "smollm2", "qwen2", "llama3", "deepseek_v3");
  const auto t = fixture(name);
  r1::RandomStream random(7, 7);
  int num_different = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto text = random_text(random, 40);
    num_different += t.decode(t.encode(text)) != (name == "qwen2" ? to_nfc(text) : text);
  }
  CHECK(num_different == 0);
}

TEST_CASE("a piece of any length merges as rank by rank merging does", "[property]") {
  Vocab vocab(100);
  std::vector<Merge> merges;
  int32_t next = 0;
  const auto add = [&](const std::string& text) {
    vocab.add(text, next);
    return next++;
  };
  const int32_t a = add("a"), b = add("b"), ab = add("ab"), aa = add("aa"), aaab = add("aaab"), bab = add("bab");
  merges = {{a, b, ab}, {a, a, aa}, {aa, ab, aaab}, {b, ab, bab}};
  const Bpe bpe(vocab, merges, WholePiece::kMerge);
  r1::RandomStream random(3, 3);
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (uint64_t n = 1 + random.below(200); n > 0; --n) text += random.below(3) == 0 ? 'b' : 'a';
    std::vector<int32_t> expected;  // the definition: lowest rank first, leftmost first, one at a time
    for (const char c : text) expected.push_back(c == 'a' ? a : b);
    for (bool merged = true; merged;) {
      merged = false;
      for (const auto& m : merges) {
        for (size_t k = 0; !merged && k + 1 < expected.size(); ++k) {
          if (expected[k] != m.left || expected[k + 1] != m.right) continue;
          expected[k] = m.merged;
          expected.erase(expected.begin() + static_cast<ptrdiff_t>(k) + 1);
          merged = true;
        }
        if (merged) break;
      }
    }
    std::vector<int32_t> ids;
    bpe.encode(text, ids);
    bpe.encode(text, ids);  // the second time from the cache, if the piece is short
    auto twice = expected;
    twice.insert(twice.end(), expected.begin(), expected.end());
    if (ids != twice) {
      INFO(text);
      CHECK(ids == twice);
    }
  }
  CHECK(vocab.size() == 6);
}

TEST_CASE("one tokenizer encodes in many threads, and two tokenizers share a thread's cache without mixing") {
  const auto gpt2 = fixture("gpt2"), qwen = fixture("qwen2");
  std::vector<std::string> texts;
  r1::RandomStream random(11, 1);
  for (int i = 0; i < 200; ++i) texts.push_back(random_text(random, 60));
  const auto encode_all = [&] {
    std::vector<std::vector<int32_t>> ids;
    for (const auto& text : texts) {
      ids.push_back(gpt2.encode(text));
      ids.push_back(qwen.encode(text));
    }
    return ids;
  };
  const auto expected = encode_all();
  std::vector<std::vector<std::vector<int32_t>>> found(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : found) threads.emplace_back([&ids, &encode_all] { ids = encode_all(); });
  }
  for (const auto& ids : found) CHECK(ids == expected);
}

TEST_CASE("ids outside the vocabulary decode to nothing") {
  const auto t = fixture("gpt2");
  CHECK(t.decode(std::vector<int32_t>{-1, 1 << 30, t.vocab_size()}).empty());
  CHECK(t.token_text(-5).empty());
  CHECK_FALSE(t.is_special(t.vocab_size()));
  CHECK_FALSE(t.id_of("no such token"));
}

TEST_CASE("text that is hard on the algorithms encodes in time linear in its length") {
  const auto t = fixture("deepseek_v3");
  const std::vector<std::string> pieces = {"a", " ", "\n", "<", "\u4e00", "'", "\u0301", "<\uFF5C", "1"};
  for (const auto& piece : pieces) {
    std::string text;
    while (text.size() < 200'000) text += piece;
    const auto begin = std::chrono::steady_clock::now();
    const auto ids = t.encode(text);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    INFO(piece);
    CHECK(t.decode(ids) == text);
    CHECK(taken.count() < 5.0);  // quadratic would take minutes
  }
}
