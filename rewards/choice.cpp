#include "rewards/choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "rewards/puzzle/exact_json.h"

namespace r1::rewards {
namespace {

constexpr size_t kMaxAnswer = 4096, kMaxOptions = 26;

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
char lower(char c) { return is_capital(c) ? static_cast<char>(c | 0x20) : c; }

// Lower case, runs of blanks as one, without blanks, emphasis and a full stop at the ends: what is compared of
// contents.
std::string normal(std::string_view text) {
  std::string out;
  for (const char c : trimmed(text)) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (is_blank && out.ends_with(' ')) continue;
    out += is_blank ? ' ' : lower(c);
  }
  while (out.ends_with('.') || out.ends_with(' ')) out.pop_back();
  return out;
}

// What is inside of the marks that answers are written in: **...**, $...$, \text{...}, \boxed{...}, `...`, quotes.
std::string_view unwrapped(std::string_view text) {
  struct Marks {
    std::string_view open, close;
  };
  constexpr Marks kMarks[]{{"**", "**"},       {"*", "*"},       {"$$", "$$"},       {"$", "$"},
                           {"\\(", "\\)"},     {"\\[", "\\]"},   {"`", "`"},         {"\"", "\""},
                           {"'", "'"},         {"\\text{", "}"}, {"\\mathrm{", "}"}, {"\\textbf{", "}"},
                           {"\\mathbf{", "}"}, {"\\boxed{", "}"}};
  for (int round = 0; round < 8; ++round) {
    text = trimmed(text);
    const auto before = text;
    for (const auto& [open, close] : kMarks) {
      if (text.size() < open.size() + close.size() || !text.starts_with(open) || !text.ends_with(close)) continue;
      text = text.substr(open.size(), text.size() - open.size() - close.size());
      break;
    }
    if (text.size() == before.size()) break;
  }
  return text;
}

bool takes_word(std::string_view& text, std::string_view word) {
  if (text.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (lower(text[i]) != word[i]) return false;
  }
  text.remove_prefix(word.size());
  text = trimmed(text);
  return true;
}

// "the answer is", "answer:", "option": what may stand before a letter.
std::string_view without_opening(std::string_view text) {
  text = trimmed(text);
  takes_word(text, "the ");
  takes_word(text, "correct ");
  for (const std::string_view word : {"final answer", "answer", "option", "choice"}) {
    auto rest = text;
    if (!takes_word(rest, word)) continue;
    takes_word(rest, "is ") || takes_word(rest, "is:") || takes_word(rest, ":");
    takes_word(rest, "option ");
    return unwrapped(rest);
  }
  return text;
}

struct Lettered {
  char letter;
  std::string_view content;  // what stands behind it
};

// "B", "(B)", "B.", "B)", "(B) content", "B: content"
std::optional<Lettered> letter_first(std::string_view text) {
  const bool is_bracketed = text.starts_with('(') || text.starts_with('[');
  const char closing = text.starts_with('[') ? ']' : ')';
  if (is_bracketed) text.remove_prefix(1);
  if (text.empty()) return {};
  const bool is_alone = text.size() == 1 || (is_bracketed && text.size() == 2);
  const char letter = is_alone && lower(text[0]) == text[0] ? static_cast<char>(text[0] - 32) : text[0];
  if (!is_capital(letter) || (text[0] >= 0 && lower(text[0]) < 'a')) return {};
  text.remove_prefix(1);
  if (is_bracketed) {
    if (!text.starts_with(closing)) return {};
    text.remove_prefix(1);
  } else if (!text.empty()) {
    if (std::string_view(".):").find(text[0]) == std::string_view::npos) return {};
    text.remove_prefix(1);
  }
  text = trimmed(text);
  if (text.starts_with(':') || text.starts_with('.')) text = trimmed(text.substr(1));
  return Lettered{letter, text};
}

std::optional<size_t> find_option(const std::vector<std::string>& options, std::string_view content) {
  const auto wanted = normal(unwrapped(content));
  for (size_t i = 0; i < options.size(); ++i) {
    if (normal(unwrapped(options[i])) == wanted) return i;
  }
  return {};
}

// Options in an array, or by their letters.
std::optional<std::vector<std::string>> options_of(const ExactJson& json) {
  std::vector<std::string> options;
  for (const auto& item : json.items) options.push_back(item.text);
  for (const auto& [letter, item] : json.members) {
    if (letter != std::string(1, static_cast<char>('A' + options.size()))) return {};
    options.push_back(item.text);
  }
  return options;
}

}  // namespace

std::optional<ChoiceKey> parse_choice_key(std::string_view answer, std::string_view metadata_json) {
  ChoiceKey key;
  auto letter = std::string(trimmed(answer));
  const auto json = parse_exact_json(answer);
  const auto metadata = parse_exact_json(metadata_json);
  const ExactJson* options = nullptr;
  for (const auto* source : {&json, &metadata}) {
    for (const std::string_view name : {"options", "choices"}) {
      if (options == nullptr && source->value) options = source->value->find(name);
    }
  }
  if (json.value && json.value->kind == ExactJson::Kind::kObject) {
    const auto* named = json.value->find("letter");
    letter = named == nullptr ? std::string() : named->text;
  }
  if (letter.size() == 3 && letter.front() == '(' && letter.back() == ')') letter = letter.substr(1, 1);
  if (letter.size() != 1 || !is_capital(letter[0])) return {};
  key.letter = letter[0];
  if (options == nullptr) return key;
  auto read = options_of(*options);
  if (!read || read->size() > kMaxOptions || static_cast<size_t>(key.letter - 'A') >= read->size()) return {};
  for (size_t i = 0; i < read->size(); ++i) {
    if (find_option(*read, (*read)[i]) != i) return {};  // two that read the same
  }
  key.options = std::move(*read);
  return key;
}

std::optional<char> chosen_letter(std::string_view answer, const ChoiceKey& key) {
  if (answer.size() > kMaxAnswer) return {};
  const auto bare = unwrapped(answer);
  if (const auto option = find_option(key.options, bare)) return static_cast<char>('A' + *option);
  const auto found = letter_first(without_opening(bare));
  if (!found) return {};
  const auto number = static_cast<size_t>(found->letter - 'A');
  if (!key.options.empty() && number >= key.options.size()) return {};
  if (found->content.empty()) return found->letter;
  if (find_option(key.options, found->content) == number) return found->letter;
  return {};
}

Score ChoiceReward::score(const Prompt& prompt, std::string_view completion, FinishReason) const {
  const auto key = parse_choice_key(prompt.answer, prompt.metadata_json);
  if (!key) return to_score({Verdict::kUndecided, "the answer key is no letter of the options"});
  const auto answer = find_answer(completion, options_.place);
  if (!answer) return to_score({Verdict::kWrong, "there is no answer"});
  const auto letter = chosen_letter(*answer, *key);
  if (!letter) return to_score({Verdict::kWrong, "the answer chooses none of the options, or several"});
  auto score = *letter == key->letter ? to_score({Verdict::kRight, ""})
                                      : to_score({Verdict::kWrong, fmt::format("it chooses {}", *letter)});
  score.answer = std::string(1, *letter);
  return score;
}

}  // namespace r1::rewards
