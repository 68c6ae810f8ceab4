#pragma once
// Conversations as the text that a chat model was trained on.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace r1::text {

struct Message {
  std::string role;  // "system", "user", "assistant", ...: what the template knows
  std::string content;
};

struct ChatOptions {
  bool add_generation_prompt = true;     // ends with the opening of the assistant's turn
  std::optional<std::string> bos_token;  // what {{ bos_token }} prints; undefined if absent
  std::optional<std::string> eos_token;
  std::optional<std::string> date_string;  // what Llama-3.1 calls today; its own default if absent
  std::optional<int64_t> now;              // for strftime_now, in seconds since 1970; the clock's time if absent
};

// A parsed chat template; immutable, thread-safe, cheap to copy.
class ChatTemplate {
 public:
  // Jinja `source`, as chat_template in tokenizer_config.json has it. `name` opens errors.
  ChatTemplate(std::string_view source, std::string name);

  // Equal to transformers' apply_chat_template(messages, tokenize=False) without tools. Throws Error for what the
  // template refuses, such as an order of roles. Templates print their own <|begin...|> tokens: encode with
  // Specials::kNone.
  std::string render(std::span<const Message> messages, const ChatOptions& options) const;

 private:
  struct Parsed;
  std::shared_ptr<const Parsed> parsed_;
};

// The same, once.
std::string render_chat(std::string_view source, std::span<const Message> messages, const ChatOptions& options);

// With the tokenizer's own template and its bos and eos tokens (unless `options` names others). Throws Error if it
// ships no template.
std::string render_chat(const Tokenizer& tokenizer, std::span<const Message> messages, ChatOptions options = {});

// Templates, in our own words, of model families whose files may lack one: "qwen2.5", "smollm2", "llama3", "llama3.1",
// "deepseek-v3", "deepseek-r1", "deepseek-r1-distill". They know no tools. Throws Error for another name.
std::string_view builtin_template(std::string_view family);
std::vector<std::string_view> builtin_template_names();

// The prompt of DeepSeek-R1-Zero (arXiv:2501.12948, Table 1), where `prompt` stands for the question.
std::string_view r1_zero_template();
std::string apply_r1_zero(std::string_view question);

}  // namespace r1::text
