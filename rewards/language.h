#pragma once
// Language consistency (DeepSeek-R1, arXiv:2501.12948v2, Eq. 7): the share of words of the target language among the
// words of the chain of thought. R1's cold-start stage adds it to the other rewards, since its policy mixed languages.
//
// What counts: running text (rewards/prose.h) without numbers, identifiers, single letters, units and names of
// functions, and without proper names, which are capitalized words within a sentence, at most three in a row. A script
// written without blanks counts by its characters: 1.5 of Chinese, 2.5 of kana, 4 of Thai to a word.
//
// Which language a word is of: its script, where that tells (Korean, Greek, ...). Where several languages share a
// script (Latin, Cyrillic, Arabic, Han), the sentence tells: by its commonest words and its special letters. A sentence
// that shows neither is of the language of the text around it.

#include <string>
#include <string_view>
#include <vector>

#include "rewards/reward.h"

namespace r1::rewards {

// ISO 639-1 codes of the languages that are told apart: "en", "zh", "ja", ...
std::vector<std::string> known_languages();

struct LanguageShare {
  double target = 0;  // words of the target language
  double all = 0;     // words of any

  double value() const { return all > 0 ? target / all : 0; }
};

// Words of a text. `target` is one of known_languages(); another gives no word of it. Any bytes; linear time.
LanguageShare count_language(std::string_view text, std::string_view target);

// The language with the most words; empty where there are none.
std::string detect_language(std::string_view text);

// The question within a prompt: without R1-Zero's text or the marks of a chat template around it.
std::string_view question_of(std::string_view prompt);

struct LanguageOptions {
  std::string target = "prompt";  // a language, or "prompt": metadata.language of the prompt if it names one, else
                                  // the language of its question
};

// Throws Error for a target that is no language.
void validate(const LanguageOptions& options);

// The share, over the chain of thought (format.h: thinking_of()). A chain of formulae alone, without a word, mixes no
// languages: 1; a blank one is 0. Undecided where the target is the prompt's, and the prompt shows no language.
class LanguageReward : public Reward {
 public:
  explicit LanguageReward(const LanguageOptions& options) : options_(options) {}
  Score score(const Prompt& prompt, std::string_view completion, FinishReason finish) const override;

 private:
  std::string target_of(const Prompt& prompt) const;
  LanguageOptions options_;
};

}  // namespace r1::rewards
