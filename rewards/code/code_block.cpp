#include "rewards/code/code_block.h"

#include <algorithm>

namespace r1::rewards::code {
namespace {

constexpr std::string_view kBlanks = " \t\r";

struct Block {
  std::string_view info;     // what follows the opening fence
  std::string_view content;  // whole lines
  size_t indent = 0;         // of the opening fence: content lines lose up to as much
};

struct Fence {
  char mark = 0;
  size_t length = 0, indent = 0;
  std::string_view info;
};

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::optional<Fence> fence_of(std::string_view line) {
  const auto indent = std::min(line.find_first_not_of(" \t"), line.size());
  if (indent == line.size() || (line[indent] != '`' && line[indent] != '~')) return std::nullopt;
  Fence fence{.mark = line[indent], .indent = indent, .info = {}};
  auto end = indent;
  while (end < line.size() && line[end] == fence.mark) ++end;
  fence.length = end - indent;
  fence.info = trimmed(line.substr(end));
  const bool is_inline = fence.mark == '`' && fence.info.find('`') != fence.info.npos;
  return fence.length < 3 || is_inline ? std::nullopt : std::optional(fence);
}

// Calls take(block) for each fenced block in order.
template <typename Take>
void for_each_block(std::string_view text, const Take& take) {
  std::optional<Fence> open;
  size_t content_begin = 0;
  for (size_t at = 0; at < text.size();) {
    const auto line = text.substr(at, text.find('\n', at) - at);
    const auto next = std::min(at + line.size() + 1, text.size());
    const auto fence = fence_of(line);
    if (fence && !open) {
      open = fence;
      content_begin = next;
    } else if (fence && fence->mark == open->mark && fence->length >= open->length && fence->info.empty()) {
      take(Block{open->info, text.substr(content_begin, at - content_begin), open->indent});
      open.reset();
    }
    at = next;
  }
  if (open) take(Block{open->info, text.substr(content_begin), open->indent});
}

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// Words of a fence line: "python title=a" and "{.python}" hold "python".
template <typename Test>
bool any_word(std::string_view info, const Test& test) {
  constexpr std::string_view kEnds = " \t,;:{}=\"'";
  while (!info.empty()) {
    const auto size = std::min(info.find_first_of(kEnds), info.size());
    auto word = info.substr(0, size);
    if (word.starts_with('.')) word.remove_prefix(1);
    if (!word.empty() && test(word)) return true;
    info.remove_prefix(std::min(size + 1, info.size()));
  }
  return false;
}

std::string without_indent(const Block& block) {
  if (block.indent == 0) return std::string(block.content);
  std::string text;
  for (size_t at = 0; at < block.content.size();) {
    auto line = block.content.substr(at, block.content.find('\n', at) - at);
    at += line.size() + 1;
    line.remove_prefix(std::min({block.indent, std::min(line.find_first_not_of(" \t"), line.size())}));
    text.append(line).append("\n");
  }
  return text;
}

// The text between the last <answer> and the </answer> after it, if both are there.
std::optional<std::string_view> last_answer(std::string_view text) {
  constexpr std::string_view kOpen = "<answer>", kClose = "</answer>";
  const auto close = text.rfind(kClose);
  if (close == text.npos) return std::nullopt;
  const auto open = text.substr(0, close).rfind(kOpen);
  if (open == text.npos) return std::nullopt;
  return text.substr(open + kOpen.size(), close - open - kOpen.size());
}

}  // namespace

std::optional<std::string> find_program(std::string_view completion, std::span<const std::string_view> languages,
                                        std::string_view name) {
  constexpr std::string_view kThought = "</think>";
  if (const auto end = completion.rfind(kThought); end != completion.npos)
    completion.remove_prefix(end + kThought.size());
  const auto answer = last_answer(completion);
  std::optional<Block> named, unnamed;
  bool has_block = false;
  for_each_block(answer.value_or(completion), [&](const Block& block) {
    has_block = true;
    if (!name.empty() && !any_word(block.info, [&](std::string_view word) { return word == name; })) return;
    const bool is_ours = any_word(block.info, [&](std::string_view word) {
      return std::any_of(languages.begin(), languages.end(), [&](std::string_view l) { return same_letters(word, l); });
    });
    if (is_ours) named = block;
    if (block.info.empty() || block.info == name) unnamed = block;
  });
  if (named) return without_indent(*named);
  if (unnamed) return without_indent(*unnamed);
  if (!answer || has_block || !name.empty()) return std::nullopt;
  const auto bare = trimmed(*answer);
  return bare.find_first_not_of("\n\r\t ") == bare.npos ? std::nullopt : std::optional(std::string(*answer) + "\n");
}

}  // namespace r1::rewards::code
