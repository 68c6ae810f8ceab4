#include "text/chat.h"

#include <fmt/ranges.h>

#include "core/error.h"
#include "text/jinja.h"
#include "text/unicode.h"

namespace r1::text {
namespace {

constexpr std::string_view kR1Zero =
    "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The assistant "
    "first thinks about the reasoning process in the mind and then provides the user with the answer. The reasoning "
    "process and answer are enclosed within <think> </think> and <answer> </answer> tags, respectively, i.e., <think> "
    "reasoning process here </think> <answer> answer here </answer>. User: prompt. Assistant:";

}  // namespace

struct ChatTemplate::Parsed {
  jinja::Template jinja;
};

ChatTemplate::ChatTemplate(std::string_view source, std::string name)
    : parsed_(std::make_shared<const Parsed>(Parsed{jinja::Template(source, std::move(name))})) {}

std::string ChatTemplate::render(std::span<const Message> messages, const ChatOptions& options) const {
  std::vector<jinja::Value> list;
  for (const auto& message : messages) {
    list.push_back(
        jinja::Value::dict({{"role", to_valid_utf8(message.role)}, {"content", to_valid_utf8(message.content)}}));
  }
  // transformers passes these two even when there are none.
  std::map<std::string, jinja::Value> variables{{"tools", jinja::Value()}, {"documents", jinja::Value()}};
  variables["messages"] = jinja::Value::list(std::move(list));
  variables["add_generation_prompt"] = options.add_generation_prompt;
  if (options.bos_token) variables["bos_token"] = *options.bos_token;
  if (options.eos_token) variables["eos_token"] = *options.eos_token;
  if (options.date_string) variables["date_string"] = *options.date_string;
  return parsed_->jinja.render(variables, {.now = options.now});
}

std::string render_chat(std::string_view source, std::span<const Message> messages, const ChatOptions& options) {
  return ChatTemplate(source, "chat template").render(messages, options);
}

std::string render_chat(const Tokenizer& tokenizer, std::span<const Message> messages, ChatOptions options) {
  const auto& source = tokenizer.chat_template();
  if (!source) {
    throw Error("chat template", "the tokenizer has none",
                fmt::format("use a built-in one ({}), or add chat_template.jinja to the model's folder",
                            fmt::join(builtin_template_names(), ", ")));
  }
  const auto text_of = [&](const std::optional<int32_t>& id) {
    return id ? std::optional(std::string(tokenizer.token_text(*id))) : std::nullopt;
  };
  if (!options.bos_token) options.bos_token = text_of(tokenizer.bos_id());
  if (!options.eos_token) options.eos_token = text_of(tokenizer.eos_id());
  return render_chat(*source, messages, options);
}

std::string_view r1_zero_template() { return kR1Zero; }

std::string apply_r1_zero(std::string_view question) {
  constexpr std::string_view kPlaceholder = "prompt";
  std::string text(kR1Zero);
  return text.replace(text.rfind(kPlaceholder), kPlaceholder.size(), question);
}

}  // namespace r1::text
