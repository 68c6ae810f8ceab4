// The published vocabularies, where tests/reference/real_tokenizers.py has put them into models/tokenizers/.

#include "core/files.h"
#include "core/json.h"
#include "tests/support/catch.h"
#include "text/tokenizer.h"

using namespace r1::text;

TEST_CASE("the published vocabularies give the reference's ids and text", "[slow][golden]") {
  const std::string name = GENERATE("deepseek_v3", "qwen2_5", "llama3");
  const std::string path = R1_SOURCE_DIR "/models/tokenizers/" + name + "/tokenizer.json";
  if (!std::filesystem::exists(path)) {
    WARN("skipped: no " << path << "; tests/reference/real_tokenizers.py makes it");
    SUCCEED();
    return;
  }
  const auto t = Tokenizer::from_file(path);
  int num_cases = 0;
  r1::for_each_line(R1_FIXTURES "/real_tokenizers/" + name + ".jsonl", [&](int64_t line, std::string_view text_of_line) {
    const auto c = r1::json::parse(text_of_line, name).as_object();
    std::vector<int32_t> ids;
    for (const auto& id : c.at("ids").as_array()) ids.push_back(static_cast<int32_t>(id.as_int64()));
    INFO(name << " line " << line);
    CHECK(t.encode(std::string(c.at("text").as_string())) == ids);
    CHECK(t.decode(ids) == std::string(c.at("decoded").as_string()));
    ++num_cases;
  });
  CHECK(num_cases >= 427);
}
