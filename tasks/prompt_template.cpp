#include "tasks/prompt_template.h"

#include <fmt/format.h>

#include "core/error.h"
#include "text/chat.h"
#include "text/tokenizer.h"

namespace r1::tasks {
namespace {

// The question as one text, for templates without roles.
std::string single_text(const Question& question) {
  if (question.messages.empty()) return question.text;
  if (question.messages.size() == 1 && question.messages[0].role == "user") return question.messages[0].content;
  throw Error(question.id,
              fmt::format("is a conversation of {} messages, and this prompt template takes one user message",
                          question.messages.size()),
              "use the template 'chat'");
}

std::string chat_text(const Question& question, const PromptStyle& style, const RenderChat& render_chat) {
  if (!render_chat) {
    throw Error("template", "is 'chat', but the model has no chat template", "use the template 'r1_zero' or 'plain'");
  }
  auto messages = question.messages;
  if (messages.empty()) messages.push_back({.role = "user", .content = question.text});
  if (!style.system.empty() && messages[0].role != "system") {
    messages.insert(messages.begin(), {.role = "system", .content = style.system});
  }
  return render_chat(messages);
}

std::string render(const Question& question, const PromptStyle& style, const RenderChat& render_chat) {
  switch (style.form) {
    case PromptTemplate::kPlain:
      return single_text(question);
    case PromptTemplate::kR1Zero:
      return text::apply_r1_zero(single_text(question));
    case PromptTemplate::kChat:
      return chat_text(question, style, render_chat);
  }
  return {};
}

}  // namespace

Prompt PromptMaker::make(const Question& question) const {
  Prompt prompt{.id = question.id,
                .task = question.task,
                .text = render(question, style, render_chat) + style.suffix,
                .answer = question.answer,
                .metadata_json = question.metadata_json};
  prompt.token_ids = encode(prompt.text);
  if (prompt.token_ids.empty()) {
    throw Error(question.id, "gives a prompt of no tokens", "give the question a text");
  }
  if (style.max_tokens > 0 && prompt.token_ids.size() > static_cast<size_t>(style.max_tokens)) {
    throw Error(
        question.id,
        fmt::format("gives a prompt of {} tokens; at most {} are allowed", prompt.token_ids.size(), style.max_tokens),
        "raise the limit, or take the question out of the data set");
  }
  return prompt;
}

PromptMaker make_prompt_maker(PromptStyle style, const text::Tokenizer& tokenizer) {
  const auto specials = style.form == PromptTemplate::kChat ? text::Specials::kNone : text::Specials::kAdd;
  PromptMaker maker{.style = std::move(style), .encode = [tokenizer, specials](std::string_view text) {
                      return tokenizer.encode(text, specials);
                    }};
  if (!tokenizer.chat_template()) return maker;
  maker.render_chat = [tokenizer](std::span<const Message> messages) {
    std::vector<text::Message> turns;
    for (const auto& message : messages) turns.push_back({message.role, message.content});
    return text::render_chat(tokenizer, turns);
  };
  return maker;
}

}  // namespace r1::tasks
