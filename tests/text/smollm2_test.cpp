// The published SmolLM2-135M-Instruct GGUF, if it is in models/smollm2/ (scripts/setup.sh puts it there).

#include "core/files.h"
#include "core/json.h"
#include "tests/support/catch.h"
#include "text/chat.h"

using namespace r1::text;

namespace {

std::filesystem::path published_gguf() {
  const std::filesystem::path folder = R1_SOURCE_DIR "/models/smollm2";
  if (!std::filesystem::is_directory(folder)) return {};
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".gguf") return entry.path();
  }
  return {};
}

}  // namespace

TEST_CASE("the published SmolLM2 tokenizer gives the reference's ids and conversations", "[slow][golden]") {
  const auto path = published_gguf();
  if (path.empty()) {
    WARN("skipped: no .gguf file in models/smollm2/; scripts/setup.sh fetches it");
    SUCCEED();
    return;
  }
  const auto t = Tokenizer::from_file(path);
  CHECK(t.vocab_size() == 49152);
  CHECK(t.eos_id() == 2);
  r1::for_each_line(R1_FIXTURES "/real_tokenizers/smollm2.jsonl", [&](int64_t line, std::string_view text_of_line) {
    const auto c = r1::json::parse(text_of_line, "smollm2.jsonl").as_object();
    std::vector<int32_t> ids;
    for (const auto& id : c.at("ids").as_array()) ids.push_back(static_cast<int32_t>(id.as_int64()));
    INFO("line " << line);
    CHECK(t.encode(std::string(c.at("text").as_string())) == ids);
  });

  const auto golden = r1::json::parse_file(R1_FIXTURES "/chat_templates/rendered.json").as_object();
  for (const auto& entry : golden.at("templates").at("smollm2").at("rendered").as_object()) {
    const std::string key = entry.key();
    std::vector<Message> messages;
    for (const auto& m : golden.at("conversations").at(key.substr(0, key.find('/'))).as_array()) {
      messages.push_back({std::string(m.at("role").as_string()), std::string(m.at("content").as_string())});
    }
    INFO(key);
    CHECK(render_chat(t, messages, {.add_generation_prompt = key.ends_with("/gen")}) ==
          std::string(entry.value().as_string()));
  }
}
