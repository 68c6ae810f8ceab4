#include <fstream>
#include <functional>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/catch.h"
#include "tests/text/small_tokenizer.h"
#include "text/tokenizer.h"

using r1::Error;
using namespace r1::text;
namespace fs = std::filesystem;

namespace {

// A folder that goes when the test ends.
struct Folder {
  Folder() : path(fs::temp_directory_path() / "r1_tokenizer_files_test") {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  void write(const char* name, const std::string& text) const { std::ofstream(path / name) << text; }
  fs::path path;
};

// GGUF metadata as the format has it: little-endian, no tensors.
class GgufText {
 public:
  void text(const std::string& key, const std::string& value) {
    head(key, 8);
    string(value);
  }
  void number(const std::string& key, uint32_t value) {
    head(key, 4);
    put(value);
  }
  void flag(const std::string& key, bool value) {
    head(key, 7);
    bytes_ += static_cast<char>(value);
  }
  void texts(const std::string& key, const std::vector<std::string>& values) {
    head(key, 9);
    put(uint32_t{8});
    put(uint64_t{values.size()});
    for (const auto& value : values) string(value);
  }
  void numbers(const std::string& key, const std::vector<int32_t>& values) {
    head(key, 9);
    put(uint32_t{5});
    put(uint64_t{values.size()});
    for (const int32_t value : values) put(value);
  }
  std::string file() const {
    GgufText start;
    start.bytes_ = "GGUF";
    start.put(uint32_t{3});
    start.put(uint64_t{0});
    start.put(num_entries_);
    auto whole = start.bytes_ + bytes_;
    whole.resize((whole.size() + 31) / 32 * 32);
    return whole;
  }

 private:
  template <typename T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void string(const std::string& value) {
    put(uint64_t{value.size()});
    bytes_ += value;
  }
  void head(const std::string& key, uint32_t type) {
    ++num_entries_;
    string(key);
    put(type);
  }
  std::string bytes_;
  uint64_t num_entries_ = 0;
};

const std::vector<std::string> kTokens = {"<|s|>", "<tool>", "a", "b", "ab", "1", "2", "12", "[PAD8]"};
const std::vector<int32_t> kTypes = {3, 4, 1, 1, 1, 1, 1, 1, 5};
const std::vector<std::string> kMerges = {"a b", "1 2"};

GgufText gguf(const std::string& pre) {
  GgufText g;
  g.text("general.architecture", "llama");
  g.text("tokenizer.ggml.model", "gpt2");
  g.text("tokenizer.ggml.pre", pre);
  g.number("tokenizer.ggml.bos_token_id", 0);
  g.number("tokenizer.ggml.eos_token_id", 1);
  g.number("tokenizer.ggml.padding_token_id", 0xFFFFFFFF);
  return g;
}

std::string error_of(const fs::path& path) {
  try {
    Tokenizer::from_file(path);
  } catch (const Error& e) {
    return e.what();
  }
  return "loaded";
}

}  // namespace

TEST_CASE("a model folder's configuration names the roles and the chat template") {
  const Folder folder;
  folder.write("tokenizer.json", r1::json::dump(small_tokenizer_json()));
  folder.write("tokenizer_config.json", R"({"bos_token": "<s>", "eos_token": {"content": "<think>"}, "pad_token": null,
    "add_bos_token": true, "chat_template": "from config"})");
  auto t = Tokenizer::from_file(folder.path);
  CHECK(t.bos_id() == 8);
  CHECK(t.eos_id() == 9);
  CHECK_FALSE(t.pad_id());
  CHECK(t.roles().add_bos_token == true);
  CHECK(t.chat_template() == "from config");
  CHECK(t.encode("a", Specials::kAdd) == std::vector<int32_t>{0});  // the post-processor decides, not add_bos_token

  folder.write("chat_template.jinja", "from file");
  folder.write("special_tokens_map.json", R"({"bos_token": "a", "pad_token": "b"})");
  t = Tokenizer::from_file(folder.path);
  CHECK(t.chat_template() == "from file");
  CHECK(t.bos_id() == 8);  // the older file fills only what is missing
  CHECK(t.pad_id() == 1);

  CHECK_FALSE(Tokenizer::from_file(folder.path / "tokenizer.json").bos_id());
}

TEST_CASE("of several chat templates the one named default counts") {
  const Folder folder;
  folder.write("tokenizer.json", r1::json::dump(small_tokenizer_json()));
  folder.write("tokenizer_config.json",
               R"({"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]})");
  CHECK(Tokenizer::from_file(folder.path).chat_template() == "d");
  folder.write("tokenizer_config.json", R"({"chat_template": [{"name": "tool_use", "template": "t"}]})");
  CHECK_THAT(error_of(folder.path), Catch::Contains("named 'default'"));
}

TEST_CASE("a folder whose files do not fit each other is refused") {
  const Folder folder;
  CHECK_THAT(error_of(folder.path), Catch::Contains("holds no tokenizer.json"));
  CHECK_THAT(error_of(folder.path / "tokenizer.json"), Catch::Contains("tokenizer.json"));
  folder.write("tokenizer.json", r1::json::dump(small_tokenizer_json()));
  folder.write("tokenizer_config.json", R"({"eos_token": "<|im_end|>"})");
  CHECK_THAT(error_of(folder.path), Catch::Contains("eos_token '<|im_end|>' is not in the vocabulary"));
  folder.write("tokenizer_config.json", R"({"eos_token": 5})");
  CHECK_THAT(error_of(folder.path), Catch::Contains("'eos_token'"));
  folder.write("tokenizer_config.json", "[]");
  CHECK_THAT(error_of(folder.path), Catch::Contains("tokenizer_config.json"));
}

TEST_CASE("saving and loading keeps ids, roles, added tokens and template", "[property]") {
  const std::string name = GENERATE("gpt2", "smollm2", "qwen2", "llama3", "deepseek_v3");
  const Folder folder;
  auto t = Tokenizer::from_file(R1_FIXTURES "/tokenizers/" + name + "/tokenizer.json");
  t = t.with_roles({.eos = t.encode("a")[0], .add_bos_token = false, .chat_template = "{{ x }}"});
  t.save(folder.path / "saved");
  const auto loaded = Tokenizer::from_file(folder.path / "saved");
  CHECK(loaded.eos_id() == t.eos_id());
  CHECK(loaded.chat_template() == t.chat_template());
  CHECK(loaded.vocab_size() == t.vocab_size());
  CHECK(loaded.to_json() == t.to_json());
  r1::for_each_line(R1_FIXTURES "/tokenizers/" + name + "/cases.jsonl", [&](int64_t, std::string_view line) {
    const auto text = std::string(r1::json::parse(line, name).at("text").as_string());
    CHECK(loaded.encode(text, Specials::kAdd) == t.encode(text, Specials::kAdd));
  });
  t.save(folder.path / "alone.json");
  CHECK(Tokenizer::from_file(folder.path / "alone.json").to_json() == t.to_json());
}

TEST_CASE("a role outside the vocabulary is refused") {
  const auto t = Tokenizer::from_json(r1::json::dump(small_tokenizer_json()), "t.json");
  CHECK_THROWS_WITH(t.with_roles({.eos = 10}), Catch::Contains("is id 10") && Catch::Contains("0 to 9"));
  CHECK_THROWS_AS(t.with_roles({.bos = -1}), Error);
}

TEST_CASE("GGUF metadata makes a tokenizer") {
  const Folder folder;
  auto g = gguf("gpt-2");
  g.texts("tokenizer.ggml.tokens", kTokens);
  g.numbers("tokenizer.ggml.token_type", kTypes);
  g.texts("tokenizer.ggml.merges", kMerges);
  g.text("tokenizer.chat_template", "{{ t }}");
  g.flag("tokenizer.ggml.add_bos_token", true);
  folder.write("m.gguf", g.file());
  const auto t = Tokenizer::from_file(folder.path / "m.gguf");
  CHECK(t.encode("ab12<|s|>a<tool>") == std::vector<int32_t>{4, 7, 0, 2, 1});
  CHECK(t.encode("ab", Specials::kAdd) == std::vector<int32_t>{0, 4});
  CHECK(t.bos_id() == 0);
  CHECK(t.eos_id() == 1);
  CHECK_FALSE(t.pad_id());  // 0xFFFFFFFF is how writers say none
  CHECK(t.is_special(0));
  CHECK_FALSE(t.is_special(1));
  CHECK(t.chat_template() == "{{ t }}");
  CHECK_FALSE(t.id_of("[PAD8]"));                                                    // a padding row of the embedding
  CHECK(Tokenizer::from_file(folder.path).encode("ab") == std::vector<int32_t>{4});  // the one .gguf of a folder
  folder.write("n.gguf", g.file());
  CHECK_THAT(error_of(folder.path), Catch::Contains("2 .gguf files"));
}

TEST_CASE("the name in tokenizer.ggml.pre decides how text is cut") {
  struct Case {
    const char* pre;
    std::vector<std::string> pieces;
    std::vector<std::string> combined;  // of e and U+0301: Qwen's reference normalizes, V3's marks are letters
  };
  const std::vector<Case> cases = {
      {"gpt-2", {"ab", "1212", " \u00e9"}, {"e", "\u0301"}},
      {"smollm", {"ab", "1", "2", "1", "2", " \u00e9"}, {"e", "\u0301"}},
      {"qwen2", {"ab", "1", "2", "1", "2", " \u00e9"}, {"\u00e9"}},
      {"deepseek-r1-qwen", {"ab", "1", "2", "1", "2", " \u00e9"}, {"\u00e9"}},
      {"llama-bpe", {"ab", "121", "2", " \u00e9"}, {"e", "\u0301"}},
      {"deepseek-v3", {"ab", "121", "2", " \u00e9"}, {"e\u0301"}},
  };
  const Folder folder;
  for (const auto& c : cases) {
    auto g = gguf(c.pre);
    g.texts("tokenizer.ggml.tokens", kTokens);
    g.texts("tokenizer.ggml.merges", kMerges);
    folder.write("m.gguf", g.file());
    const auto t = Tokenizer::from_file(folder.path / "m.gguf");
    INFO(c.pre);
    CHECK(t.pre_tokenize("ab1212 \u00e9") == c.pieces);
    CHECK(t.pre_tokenize("e\u0301") == c.combined);
    const bool adds_bos = std::string(c.pre) == "llama-bpe";  // unless the file says otherwise
    CHECK(t.encode("a", Specials::kAdd).size() == (adds_bos ? 2 : 1));
  }
}

TEST_CASE("GGUF tokenizers that are malformed or of another kind are refused by name") {
  struct Case {
    std::function<void(GgufText&)> fill;
    const char* named;
  };
  const auto good_tokens = [](GgufText& g) { g.texts("tokenizer.ggml.tokens", kTokens); };
  const auto good_merges = [](GgufText& g) { g.texts("tokenizer.ggml.merges", kMerges); };
  const std::vector<Case> cases = {
      {[&](auto& g) { good_merges(g); }, "'tokenizer.ggml.tokens'"},
      {[&](auto& g) { good_tokens(g); }, "'tokenizer.ggml.merges'"},
      {[&](auto& g) {
         good_tokens(g), good_merges(g), g.numbers("tokenizer.ggml.token_type", {1, 1});
       },
       "2 entries for 9"},
      {[&](auto& g) { good_tokens(g), g.texts("tokenizer.ggml.merges", {"ab"}); }, "merges[0] is 'ab'"},
      {[&](auto& g) { good_tokens(g), g.texts("tokenizer.ggml.merges", {"a z"}); }, "needs token 'z'"},
      {[&](auto& g) {
         g.texts("tokenizer.ggml.tokens", {"a", "b", "a"}), good_merges(g);
       },
       "'a' twice"},
      {[&](auto& g) { good_tokens(g), good_merges(g), g.flag("tokenizer.ggml.add_space_prefix", true); },
       "add_space_prefix"},
  };
  const Folder folder;
  for (const auto& c : cases) {
    auto g = gguf("gpt-2");
    c.fill(g);
    folder.write("m.gguf", g.file());
    CHECK_THAT(error_of(folder.path / "m.gguf"), Catch::Contains(c.named) && Catch::Contains("m.gguf"));
  }
  folder.write("m.gguf", gguf("tekken").file());
  CHECK_THAT(error_of(folder.path / "m.gguf"), Catch::Contains("'tekken'") && Catch::Contains("smollm"));
  GgufText other;
  other.text("tokenizer.ggml.model", "llama");
  folder.write("m.gguf", other.file());
  CHECK_THAT(error_of(folder.path / "m.gguf"), Catch::Contains("tokenizer.ggml.model 'llama'"));
}
