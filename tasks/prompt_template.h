#pragma once
// How a question becomes the text that the model continues. The tokenizer and the chat template come in as functions,
// so this folder's logic knows neither.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "tasks/question.h"

namespace r1::tasks {

// DeepSeek-R1 (arXiv:2501.12948v1) Table 1, word for word, in two parts around the question. The paper does not say
// whether anything follows "Assistant:"; nothing does here, and PromptStyle::suffix can add it.
inline constexpr std::string_view kR1ZeroBefore =
    "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The assistant "
    "first thinks about the reasoning process in the mind and then provides the user with the answer. The reasoning "
    "process and answer are enclosed within <think> </think> and <answer> </answer> tags, respectively, i.e., <think> "
    "reasoning process here </think> <answer> answer here </answer>. User: ";
inline constexpr std::string_view kR1ZeroAfter = ". Assistant:";

enum class PromptTemplate {
  kPlain,   // the question as it stands
  kR1Zero,  // within the text above
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

}  // namespace r1::tasks
