#include "rewards/extract.h"

#include <algorithm>

namespace r1::rewards {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::string_view kThinkEnd = "</think>";
constexpr std::string_view kAnswerBegin = "<answer>";
constexpr std::string_view kAnswerEnd = "</answer>";
constexpr std::string_view kBoxed = "\\boxed{";

std::optional<std::string_view> last_box(std::string_view text) {
  const auto boxes = boxed_contents(text);
  if (boxes.empty()) return {};
  return trimmed(boxes.back());
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

std::string vote_text(std::string_view answer) {
  constexpr size_t kMaxBytes = 1024;
  std::string out;
  for (const char c : trimmed(answer)) {
    if (out.size() == kMaxBytes) break;
    const bool is_blank = kBlank.find(c) != kBlank.npos;
    if (!is_blank || out.back() != ' ') out += is_blank ? ' ' : c;
  }
  return out;
}

std::string_view after_thinking(std::string_view text) {
  const auto end = text.rfind(kThinkEnd);
  return end == text.npos ? text : text.substr(end + kThinkEnd.size());
}

std::optional<std::string_view> last_answer_block(std::string_view text) {
  const auto end = text.rfind(kAnswerEnd);
  if (end == text.npos) return {};
  const auto begin = text.substr(0, end).rfind(kAnswerBegin);
  if (begin == text.npos) return {};
  return text.substr(begin + kAnswerBegin.size(), end - begin - kAnswerBegin.size());
}

std::vector<std::string_view> boxed_contents(std::string_view text) {
  struct Brace {
    size_t content;
    int box;  // number of the box it opens, or -1
  };
  std::vector<Brace> open;
  std::vector<std::optional<std::string_view>> boxes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, kBoxed.size()) == kBoxed) {
      i += kBoxed.size() - 1;
      open.push_back({i + 1, static_cast<int>(boxes.size())});
      boxes.emplace_back();
    } else if (text[i] == '\\') {
      ++i;  // whatever it escapes
    } else if (text[i] == '{') {
      open.push_back({i + 1, -1});
    } else if (text[i] == '}' && !open.empty()) {
      const auto [content, box] = open.back();
      open.pop_back();
      if (box >= 0) boxes[static_cast<size_t>(box)] = text.substr(content, i - content);
    }
  }
  std::vector<std::string_view> complete;
  for (const auto& box : boxes) {
    if (box) complete.push_back(*box);
  }
  return complete;
}

std::optional<std::string_view> find_answer(std::string_view completion, AnswerPlace place) {
  const auto text = after_thinking(completion);
  if (place != AnswerPlace::kBoxed) {
    if (const auto block = last_answer_block(text)) return last_box(*block).value_or(trimmed(*block));
    if (place == AnswerPlace::kTag) return {};
  }
  if (const auto box = last_box(text)) return box;
  if (place == AnswerPlace::kAnywhere) return trimmed(text);
  return {};
}

}  // namespace r1::rewards
