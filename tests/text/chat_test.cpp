// Golden: tests/fixtures/chat_templates/rendered.json is what transformers' environment printed with the published
// templates.

#include "text/chat.h"

#include "core/error.h"
#include "core/json.h"
#include "tests/support/catch.h"

using r1::Error;
using namespace r1::text;

namespace {

std::vector<Message> messages_of(const r1::json::bj::value& list) {
  std::vector<Message> messages;
  for (const auto& m : list.as_array()) {
    messages.push_back(
        {std::string(m.as_object().at("role").as_string()), std::string(m.as_object().at("content").as_string())});
  }
  return messages;
}

}  // namespace

TEST_CASE("the built-in templates print what the published ones print", "[golden]") {
  struct Case {
    const char* published;
    const char* builtin;
  };
  const auto c = GENERATE(values<Case>({
      {"qwen2_5", "qwen2.5"},
      {"smollm2", "smollm2"},
      {"llama3", "llama3"},
      {"llama3_1", "llama3.1"},
      {"deepseek_v3_original_no_tools", "deepseek-v3"},
      {"deepseekv3", "deepseek-r1"},
      {"deepseek_r1_distill", "deepseek-r1-distill"},
  }));
  const auto golden = r1::json::parse_file(R1_FIXTURES "/chat_templates/rendered.json").as_object();
  const auto& published = golden.at("templates").as_object().at(c.published).as_object();
  ChatOptions options;
  options.bos_token = std::string(published.at("bos_token").as_string());
  options.eos_token = std::string(published.at("eos_token").as_string());
  const ChatTemplate chat(builtin_template(c.builtin), c.builtin);
  int num_cases = 0;
  for (const auto& entry : published.at("rendered").as_object()) {
    const std::string key = entry.key();
    const auto slash = key.find('/');
    options.add_generation_prompt = key.substr(slash + 1) == "gen";
    const auto messages = messages_of(golden.at("conversations").as_object().at(key.substr(0, slash)));
    INFO(c.builtin << " " << key);
    CHECK(chat.render(messages, options) == std::string(entry.value().as_string()));
    ++num_cases;
  }
  CHECK(num_cases == 16);
}

TEST_CASE("a built-in template that is not there is refused with the names of those that are") {
  CHECK_THROWS_WITH(builtin_template("llama2"), Catch::Contains("'llama2'") && Catch::Contains("llama3.1"));
  CHECK(builtin_template_names().size() == 7);
}

TEST_CASE("every built-in template renders an empty conversation") {
  for (const auto name : builtin_template_names()) {
    INFO(name);
    CHECK_NOTHROW(render_chat(builtin_template(name), {}, {.bos_token = "B"}));
  }
}

TEST_CASE("content is data: template marks in a message are printed and not run") {
  const std::vector<Message> messages = {{"user", "{{ 1 + 1 }}{% if %}\xff"}};
  const auto text = render_chat("{% for m in messages %}{{ m.content }}{% endfor %}", messages, {});
  CHECK(text == "{{ 1 + 1 }}{% if %}\xEF\xBF\xBD");
}

TEST_CASE("a template sees the options, and bos_token is undefined unless given") {
  const char* source = "{{ bos_token is defined }} {{ date_string }} {{ add_generation_prompt }} {{ tools is none }}";
  CHECK(render_chat(source, {}, {.add_generation_prompt = false}) == "False  False True");
  CHECK(render_chat(source, {}, {.bos_token = "b", .date_string = "1 May 2025"}) == "True 1 May 2025 True True");
}

TEST_CASE("a tokenizer without a template says how to get one") {
  const auto tokenizer = Tokenizer::from_file(R1_FIXTURES "/tokenizers/qwen2/tokenizer.json");
  CHECK_THROWS_WITH(render_chat(tokenizer, {}), Catch::Contains("built-in one") && Catch::Contains("qwen2.5"));
  auto roles = tokenizer.roles();
  roles.eos = tokenizer.id_of("<|im_end|>");
  roles.chat_template = "[{{ eos_token }}]";
  CHECK(render_chat(tokenizer.with_roles(roles), {}).find("<|") == (roles.eos ? 1 : std::string::npos));
}

TEST_CASE("the R1-Zero prompt is the paper's, with the question in its place") {
  const std::string_view text = r1_zero_template();
  CHECK(text.starts_with(
      "A conversation between User and Assistant. The user asks a question, and the Assistant solves"));
  CHECK(text.ends_with(
      "<think> reasoning process here </think> <answer> answer here </answer>. User: prompt. Assistant:"));
  CHECK(text.find('\n') == std::string_view::npos);
  const auto prompt = apply_r1_zero("What is 1+1?");
  CHECK(prompt.ends_with("User: What is 1+1?. Assistant:"));
  CHECK(prompt.size() == text.size() - 6 + 12);
}
