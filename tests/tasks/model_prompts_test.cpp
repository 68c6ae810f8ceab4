// Prompts through a real tokenizer; the templates themselves are tested in dataset_test.cpp.

#include "core/error.h"
#include "tasks/prompt_template.h"
#include "tests/support/catch.h"
#include "text/tokenizer.h"

using namespace r1::tasks;
using r1::text::Tokenizer;

namespace {

const Question kQuestion{.id = "q", .task = "number", .text = "What is 2+3?", .answer = "5"};

Tokenizer llama3() { return Tokenizer::from_file(R1_FIXTURES "/tokenizers/llama3/tokenizer.json"); }

}  // namespace

TEST_CASE("a model's tokenizer encodes prompts, with the special tokens that it puts around a text") {
  const auto tokenizer = llama3();
  const auto prompt = make_prompt_maker({.suffix = " <think>"}, tokenizer).make(kQuestion);
  CHECK(prompt.text == "What is 2+3? <think>");
  CHECK(prompt.token_ids == tokenizer.encode(prompt.text, r1::text::Specials::kAdd));
  CHECK(prompt.token_ids.size() == tokenizer.encode(prompt.text).size() + 1);  // <|begin_of_text|> in front
}

TEST_CASE("a model's chat template renders conversations, and writes its special tokens itself") {
  auto roles = llama3().roles();
  roles.chat_template =
      "<|begin_of_text|>{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}"
      "{% if add_generation_prompt %}[assistant]{% endif %}";
  const auto tokenizer = llama3().with_roles(roles);
  const PromptStyle style{.form = PromptTemplate::kChat, .system = "Think."};
  const auto prompt = make_prompt_maker(style, tokenizer).make(kQuestion);
  CHECK(prompt.text == "<|begin_of_text|>[system]Think.[user]What is 2+3?[assistant]");
  const auto bos = tokenizer.id_of("<|begin_of_text|>");
  CHECK(std::count(prompt.token_ids.begin(), prompt.token_ids.end(), bos) == 1);
}

TEST_CASE("a model without a chat template refuses the chat style") {
  const auto maker = make_prompt_maker({.form = PromptTemplate::kChat}, llama3());
  CHECK_THROWS_WITH(maker.make(kQuestion), Catch::Contains("no chat template"));
}
