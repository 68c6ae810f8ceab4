#pragma once
// How a question becomes the text that the model continues. The tokenizer and the chat template come in as functions;
// make_prompt_maker() takes both from a model.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "tasks/question.h"

namespace r1::text {
class Tokenizer;
}

namespace r1::tasks {

enum class PromptTemplate {
  kPlain,   // the question as it stands
  kR1Zero,  // within DeepSeek-R1-Zero's text (text/chat.h)
  kChat,    // through the model's chat template, as a user's message unless the question is a conversation
};

struct PromptStyle {
  PromptTemplate form = PromptTemplate::kPlain;
  std::string suffix;  // put after the rendered question: " <think>" opens the reasoning for the model
  std::string system;  // chat only: a system message in front, unless the conversation has one
  int max_tokens = 0;  // a longer prompt is an Error; 0 sets no limit
};

using Encode = std::function<std::vector<int32_t>(std::string_view text)>;
// Renders a conversation with the opening of the assistant's reply at its end.
using RenderChat = std::function<std::string(std::span<const Message> messages)>;

// Text becomes token ids here, once.
struct PromptMaker {
  PromptStyle style;
  Encode encode;
  RenderChat render_chat = nullptr;  // needed for kChat

  // Throws Error naming the question's id if the template cannot hold it (a conversation of several messages in kPlain
  // or kR1Zero) or the prompt is longer than style.max_tokens.
  Prompt make(const Question& question) const;
};

// With a model's tokenizer and its own chat template. Special tokens that the tokenizer puts around a text (a
// beginning-of-text token) are added, except in kChat, whose template writes its own.
PromptMaker make_prompt_maker(PromptStyle style, const text::Tokenizer& tokenizer);

}  // namespace r1::tasks
