#include <functional>

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/text/small_tokenizer.h"
#include "text/tokenizer.h"

using r1::Error;
using namespace r1::text;
namespace bj = r1::json::bj;

namespace {

using Change = std::function<void(bj::object&)>;

Tokenizer load(const bj::object& file) { return Tokenizer::from_json(r1::json::dump(file), "t.json"); }

std::string error_after(const Change& change) {
  auto file = small_tokenizer_json();
  change(file);
  try {
    load(file);
  } catch (const Error& e) {
    return e.what();
  }
  return "loaded";
}

bj::object& model(bj::object& file) { return file["model"].as_object(); }
bj::object& vocab(bj::object& file) { return model(file)["vocab"].as_object(); }

}  // namespace

TEST_CASE("a small tokenizer.json merges, cuts out added tokens and reads both spellings of merges") {
  const auto t = load(small_tokenizer_json());
  CHECK(t.encode("abcab") == std::vector<int32_t>{6, 5});
  CHECK(t.encode("ab<s>c") == std::vector<int32_t>{5, 8, 2});
  CHECK(t.decode(std::vector<int32_t>{6, 8, 5}) == "abc<s>ab");
  CHECK(t.decode(std::vector<int32_t>{6, 8, 5}, SkipSpecial::kYes) == "abcab");
  CHECK(t.vocab_size() == 10);
  CHECK(t.token_text(6) == "abc");
  CHECK(t.is_special(8));
  CHECK_FALSE(t.is_special(9));
}

TEST_CASE("a byte that is no token is dropped, or becomes the unknown token, fused with its neighbours if asked for") {
  struct Case {
    bj::value unk_token;
    bool is_fused;
    std::vector<int32_t> ids;
  };
  for (const auto& c : {Case{nullptr, false, {5}}, Case{nullptr, true, {5}}, Case{"s", false, {7, 7, 0, 7, 1}},
                        Case{"s", true, {7, 0, 7, 1}}}) {
    auto file = small_tokenizer_json();
    model(file)["unk_token"] = c.unk_token;
    model(file)["fuse_unk"] = c.is_fused;
    CHECK(load(file).encode("xxaxb") == c.ids);
  }
}

TEST_CASE(
    "what transformers writes for a tokenizer of Llama's class on bytes is read as the byte-level BPE that it is") {
  auto file = small_tokenizer_json();
  model(file)["byte_fallback"] = true;
  model(file)["fuse_unk"] = true;
  model(file)["unk_token"] = "s";
  file["normalizer"] = bj::object{{"type", "Sequence"}, {"normalizers", bj::array{}}};
  file["decoder"] = bj::object{
      {"type", "Sequence"},
      {"decoders",
       {bj::object{{"type", "ByteFallback"}}, bj::object{{"type", "Fuse"}},
        bj::object{{"type", "Replace"}, {"pattern", bj::object{{"String", "\xE2\x96\x81"}}}, {"content", " "}},
        file["decoder"]}}};
  const auto t = load(file);
  CHECK(t.encode("abcab") == std::vector<int32_t>{6, 5});
  CHECK(t.decode(std::vector<int32_t>{6, 8, 5}) == "abc<s>ab");
}

TEST_CASE("features that are not implemented are refused by name") {
  struct Case {
    Change change;
    const char* named;
  };
  const std::vector<Case> cases = {
      {[](auto& f) {
         f["truncation"] = bj::object{{"max_length", 8}};
       },
       "'truncation'"},
      {[](auto& f) {
         f["padding"] = bj::object{{"pad_id", 8}};
       },
       "'padding'"},
      {[](auto& f) { f["version"] = "2.0"; }, "version '2.0'"},
      {[](auto& f) { f["extra"] = 1; }, "'extra'"},
      {[](auto& f) { model(f)["type"] = "Unigram"; }, "'Unigram'"},
      {[](auto& f) { model(f)["type"] = "WordPiece"; }, "'WordPiece'"},
      {[](auto& f) { model(f)["dropout"] = 0.1; }, "dropout"},
      {[](auto& f) { model(f)["unk_token"] = "<unk>"; }, "unk_token '<unk>'"},
      {[](auto& f) {
         model(f)["byte_fallback"] = true;
         vocab(f)["<0x41>"] = 10;
       },
       "byte_fallback"},
      {[](auto& f) { model(f)["continuing_subword_prefix"] = "##"; }, "continuing_subword_prefix '##'"},
      {[](auto& f) { model(f)["end_of_word_suffix"] = "</w>"; }, "end_of_word_suffix '</w>'"},
      {[](auto& f) { model(f)["max_input"] = 3; }, "'max_input'"},
      {[](auto& f) {
         f["normalizer"] = bj::object{{"type", "NFKC"}};
       },
       "'NFKC'"},
      {[](auto& f) {
         f["normalizer"] = bj::object{{"type", "Lowercase"}};
       },
       "'Lowercase'"},
      {[](auto& f) {
         f["normalizer"] = bj::object{{"type", "Sequence"}, {"normalizers", {bj::object{{"type", "Prepend"}}}}};
       },
       "'Prepend'"},
      {[](auto& f) { f["pre_tokenizer"] = nullptr; }, "not byte-level"},
      {[](auto& f) {
         f["pre_tokenizer"] = bj::object{{"type", "Metaspace"}};
       },
       "'Metaspace'"},
      {[](auto& f) { f["pre_tokenizer"].as_object()["add_prefix_space"] = true; }, "add_prefix_space"},
      {[](auto& f) { f["pre_tokenizer"].as_object()["case"] = 1; }, "'case'"},
      {[](auto& f) { f["decoder"] = nullptr; }, "no decoder"},
      {[](auto& f) {
         f["decoder"] = bj::object{{"type", "WordPiece"}};
       },
       "'WordPiece'"},
      {[](auto& f) {
         f["decoder"] = bj::object{{"type", "Sequence"}, {"decoders", bj::array{}}};
       },
       "Sequence of decoders"},
      {[](auto& f) {
         f["decoder"] = bj::object{{"type", "Sequence"}, {"decoders", {bj::object{{"type", "Strip"}}, f["decoder"]}}};
       },
       "'Strip' in a Sequence"},
      {[](auto& f) {
         f["decoder"] = bj::object{{"type", "Sequence"}, {"decoders", bj::array{bj::object{{"type", "Fuse"}}}}};
       },
       "'Fuse' at the end"},
      {[](auto& f) {
         f["post_processor"] = bj::object{{"type", "RobertaProcessing"}};
       },
       "'RobertaProcessing'"},
  };
  for (const auto& c : cases) {
    const auto text = error_after(c.change);
    INFO(text);
    CHECK_THAT(text, Catch::StartsWith("t.json") && Catch::Contains(c.named) && Catch::Contains("mend:"));
  }
}

TEST_CASE("a Split other than an isolating regex before ByteLevel is refused by name") {
  const auto with_split = [](const char* pattern, const char* behavior, bool invert) {
    auto split = r1::json::parse(R"({"type": "Split", "pattern": {"Regex": ""}, "behavior": "", "invert": false})", "");
    split.as_object()["pattern"] = r1::json::parse(pattern, "");
    split.as_object()["behavior"] = behavior;
    split.as_object()["invert"] = invert;
    const auto bytes = r1::json::parse(
        R"({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false})", "");
    return error_after([&](bj::object& f) {
      f["pre_tokenizer"] = bj::object{{"type", "Sequence"}, {"pretokenizers", bj::array{split, bytes}}};
    });
  };
  CHECK(with_split(R"({"Regex": "a+|."})", "Isolated", false) == "loaded");
  CHECK_THAT(with_split(R"({"Regex": "a"})", "Removed", false), Catch::Contains("behavior 'Removed'"));
  CHECK_THAT(with_split(R"({"Regex": "a"})", "Isolated", true), Catch::Contains("invert"));
  CHECK_THAT(with_split(R"({"String": "a"})", "Isolated", false), Catch::Contains("String"));
  CHECK_THAT(with_split(R"json({"Regex": "(?<x>a)"
})json",
                        "Isolated", false),
             Catch::Contains("(?<x"));
  CHECK_THAT(with_split(R"({"Regex": "(a"})", "Isolated", false), Catch::Contains("does not compile"));
}

TEST_CASE("malformed files are refused with the place that is wrong") {
  struct Case {
    Change change;
    const char* named;
    const char* why;
  };
  const std::vector<Case> cases = {
      {[](auto& f) { f.erase("model"); }, "'model'", "no model"},
      {[](auto& f) { model(f).erase("vocab"); }, "'vocab'", "no vocabulary"},
      {[](auto& f) { model(f).erase("merges"); }, "'merges'", "no merges"},
      {[](auto& f) { model(f)["vocab"] = bj::array{"a"}; }, "'vocab'", "a vocabulary of the wrong type"},
      {[](auto& f) { model(f)["merges"] = "a b"; }, "'merges'", "merges of the wrong type"},
      {[](auto& f) { vocab(f)["a"] = "0"; }, "['a'] is \"0\"", "an id that is text"},
      {[](auto& f) { vocab(f)["a"] = -1; }, "['a'] is -1", "a negative id"},
      {[](auto& f) { vocab(f)["a"] = 2'000'000'000; }, "['a'] is 2000000000", "an id that would claim gigabytes"},
      {[](auto& f) { vocab(f)["a"] = 1; }, "id 1 to 'a' and to 'b'", "an id given twice"},
      {[](auto& f) { vocab(f).erase("ab"); }, "merge 0 ('a' with 'b') needs token 'ab'", "a merge that makes nothing"},
      {[](auto& f) { vocab(f).erase("c"); }, "needs token 'c'", "a merge of what is not there"},
      {[](auto& f) { model(f)["merges"].as_array()[0] = "ab"; }, "merges[0] is \"ab\"", "a merge of one"},
      {[](auto& f) { model(f)["merges"].as_array()[1] = "a b c"; }, "merges[1] is \"a b c\"", "a merge of three"},
      {[](auto& f) { model(f)["merges"].as_array()[1] = bj::array{"a"}; }, "merges[1]", "a merge of one"},
      {[](auto& f) {
         model(f)["merges"].as_array()[1] = bj::array{"a", 1};
       },
       "merges[1]", "a merge of a number"},
      {[](auto& f) { f["added_tokens"] = 1; }, "'added_tokens'", "added tokens of the wrong type"},
      {[](auto& f) { f["added_tokens"].as_array()[1] = 1; }, "added_tokens[1]", "an added token that is a number"},
      {[](auto& f) { f["added_tokens"].as_array()[1].as_object()["content"] = ""; }, "added_tokens[1]",
       "an empty token"},
      {[](auto& f) { f["added_tokens"].as_array()[1].as_object()["content"] = std::string(5000, 'x'); },
       "added_tokens[1]", "a token that is a text"},
      {[](auto& f) { f["added_tokens"].as_array()[1].as_object()["content"] = "<s>"; }, "'<s>' twice",
       "one text twice"},
      {[](auto& f) { f["added_tokens"].as_array()[1].as_object().erase("special"); }, "'special'", "no flag"},
      {[](auto& f) { f["added_tokens"].as_array()[1].as_object()["lstrip"] = 1; }, "'lstrip'",
       "a flag that is a number"},
      {[](auto& f) { f["pre_tokenizer"] = 1; }, "pre_tokenizer", "a pre-tokenizer that is a number"},
      {[](auto& f) { f["normalizer"] = 1; }, "normalizer", "a normalizer that is a number"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    CHECK_THAT(error_after(c.change), Catch::StartsWith("t.json") && Catch::Contains(c.named));
  }
  for (const char* text : {"", "{", "[]", "1", "null", "{}", "{\"model\":"}) {
    CHECK_THROWS_AS(Tokenizer::from_json(text, "t.json"), Error);
  }
}

TEST_CASE("added tokens get the reference's ids: the vocabulary's own, else the ones that follow it") {
  auto file = small_tokenizer_json();
  auto& tokens = file["added_tokens"].as_array();
  tokens[0].as_object()["content"] = "abc";  // in the vocabulary as 6
  tokens[1].as_object()["id"] = 500;         // the file is wrong: 8 is next
  const auto t = load(file);
  CHECK(t.id_of("abc") == 6);
  CHECK(t.id_of("<think>") == 8);
  CHECK(t.encode("abc<think>") == std::vector<int32_t>{6, 8});
}

TEST_CASE("a template post-processor puts its ids around the text when asked") {
  auto file = small_tokenizer_json();
  file["post_processor"] = r1::json::parse(R"json({"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "<think>", "type_id": 0}}],
    "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [8], "tokens": ["<s>"]},
                                   "<think>": {"id": "<think>", "ids": [9], "tokens": ["<think>"]}}})json",
                                           "");
  const auto t = load(file);
  CHECK(t.encode("ab") == std::vector<int32_t>{5});
  CHECK(t.encode("ab", Specials::kAdd) == std::vector<int32_t>{8, 5, 9});
  CHECK(load(r1::json::parse(t.to_json(), "").as_object()).encode("ab", Specials::kAdd) ==
        t.encode("ab", Specials::kAdd));

  const auto broken = [&](const char* from, const char* to) {
    auto text = r1::json::dump(file);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, std::string(from).size(), to);
    return text;
  };
  CHECK_THROWS_WITH(Tokenizer::from_json(broken("\"ids\":[8]", "\"ids\":[800]"), "t.json"),
                    Catch::Contains("is id 800"));
  CHECK_THROWS_WITH(Tokenizer::from_json(broken("\"id\":\"A\"", "\"id\":\"B\""), "t.json"), Catch::Contains("'$B'"));
  CHECK_THROWS_WITH(
      Tokenizer::from_json(broken("\"Sequence\":{\"id\":\"A\"", "\"SpecialToken\":{\"id\":\"<s>\""), "t.json"),
      Catch::Contains("0 times $A"));
}

TEST_CASE("bytes that are no token are dropped, as in the reference") {
  const auto t = load(small_tokenizer_json());
  CHECK(t.encode("zazbz") == std::vector<int32_t>{5});  // "a" and "b" meet once the others are gone
  CHECK(t.encode(std::string(100, 'z') + "ab").size() == 1);
  CHECK(t.encode("\xff").empty());
}
