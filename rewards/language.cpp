#include "rewards/language.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "core/config.h"
#include "core/error.h"
#include "core/json.h"
#include "rewards/extract.h"
#include "rewards/format.h"
#include "rewards/language_words.h"
#include "rewards/prose.h"
#include "text/chat.h"
#include "text/unicode.h"

namespace r1::rewards {
namespace {

constexpr size_t kMaxNameRun = 3;      // capitalized words in a row that may be a name
constexpr size_t kMaxAcronym = 6;      // letters
constexpr size_t kMaxKeptWord = 64;    // bytes of a word that are looked up
constexpr double kVoteOfLetter = 0.5;  // of a special letter, where a common word has 1
constexpr double kKanaShare = 0.2;     // of kana to Han words, that makes a text Japanese

using Votes = std::array<double, kNumLanguages>;

// The language with the most votes if there is just one.
Language winner(const Votes& votes) {
  const auto best = std::max_element(votes.begin(), votes.end());
  if (*best <= 0 || std::count(votes.begin(), votes.end(), *best) > 1) return Language::kUnknown;
  return static_cast<Language>(best - votes.begin());
}

struct Word {
  Script script = Script::kOther;
  std::string text;  // lower case
  double weight = 1;
  bool is_capital = false;  // its first letter
  bool is_acronym = false;
  uint32_t letter_votes = 0;  // of its special letters
  bool is_dropped = false;    // a name
};

// Scripts that several languages share: their words wait for the text's language where a sentence does not tell.
bool is_shared(Script s) {
  return s <= Script::kHan || s == Script::kKana || s == Script::kCyrillic || s == Script::kArabic;
}

Language language_of(Script script) {
  switch (script) {
    case Script::kLatin:
      return Language::kEnglish;
    case Script::kHan:
      return Language::kChinese;
    case Script::kKana:
      return Language::kJapanese;
    case Script::kHangul:
      return Language::kKorean;
    case Script::kCyrillic:
      return Language::kRussian;
    case Script::kArabic:
      return Language::kArabic;
    case Script::kDevanagari:
      return Language::kHindi;
    case Script::kBengali:
      return Language::kBengali;
    case Script::kTamil:
      return Language::kTamil;
    case Script::kGreek:
      return Language::kGreek;
    case Script::kHebrew:
      return Language::kHebrew;
    case Script::kThai:
      return Language::kThai;
    case Script::kGeorgian:
      return Language::kGeorgian;
    case Script::kArmenian:
      return Language::kArmenian;
    case Script::kOther:
      return Language::kUnknown;
  }
  return Language::kUnknown;
}

// Sums words by language, sentence by sentence.
class Counter {
 public:
  void add(Word word) { sentence_.push_back(std::move(word)); }

  void end_sentence() {
    drop_names();
    std::array<Votes, 2> votes{};  // Latin; Cyrillic and Arabic, whose languages do not meet
    std::array<double, 16> weights{};
    for (const auto& word : sentence_) {
      if (word.is_dropped) continue;
      weights[static_cast<size_t>(word.script)] += word.weight;
      const bool is_latin = word.script == Script::kLatin;
      const auto common = is_latin ? languages_of_word(word.text) : 0;
      for (int i = 0; i < kNumLanguages; ++i) {
        if ((i < kNumLatin) != is_latin) continue;
        votes[is_latin ? 0 : 1][i] += (common >> i & 1) + kVoteOfLetter * (word.letter_votes >> i & 1);
      }
    }
    settle_latin(weights[static_cast<size_t>(Script::kLatin)], votes[0]);
    settle_han(weights[static_cast<size_t>(Script::kHan)], weights[static_cast<size_t>(Script::kKana)]);
    settle_pair(Script::kCyrillic, weights, votes[1], {Language::kRussian, Language::kUkrainian});
    settle_pair(Script::kArabic, weights, votes[1], {Language::kArabic, Language::kPersian});
    for (size_t s = 0; s < weights.size(); ++s) {
      const auto script = static_cast<Script>(s);
      if (!is_shared(script) && script != Script::kOther && s <= static_cast<size_t>(Script::kOther)) {
        words_[static_cast<size_t>(language_of(script))] += weights[s];
      }
    }
    sentence_.clear();
  }

  // Words by language, with those that no sentence told. `likely`: what Latin words are where nothing in the text says.
  Votes finish(Language likely) {
    end_sentence();
    auto words = words_;
    const auto latin = winner(latin_votes_);
    const bool is_latin = static_cast<int>(likely) < kNumLatin;
    words[static_cast<size_t>(latin != Language::kUnknown ? latin
                              : is_latin                  ? likely
                                                          : Language::kEnglish)] += open_latin_;
    const double kana = words[static_cast<size_t>(Language::kJapanese)];
    words[static_cast<size_t>(kana > 0 && kana >= kKanaShare * open_han_ ? Language::kJapanese : Language::kChinese)] +=
        open_han_;
    for (const auto& [script, open] :
         {std::pair(Language::kRussian, open_cyrillic_), {Language::kArabic, open_arabic_}}) {
      const auto other = script == Language::kRussian ? Language::kUkrainian : Language::kPersian;
      const bool is_other = words[static_cast<size_t>(other)] > words[static_cast<size_t>(script)];
      words[static_cast<size_t>(is_other ? other : script)] += open;
    }
    return words;
  }

 private:
  // Capitalized words that are no common ones are names, unless they open a sentence of their own script or there are
  // too many in a row.
  void drop_names() {
    const auto num_latin =
        std::count_if(sentence_.begin(), sentence_.end(), [](const Word& w) { return w.script == Script::kLatin; });
    const bool is_foreign = 2 * num_latin <= std::ssize(sentence_);  // Latin words among others
    for (size_t i = 0; i < sentence_.size();) {
      size_t end = i;
      while (end < sentence_.size() && is_name_like(sentence_[end], end == 0 && !is_foreign)) ++end;
      if (end - i <= kMaxNameRun) {
        for (size_t k = i; k < end; ++k) sentence_[k].is_dropped = true;
      }
      i = std::max(end, i + 1);
    }
  }

  static bool is_name_like(const Word& word, bool is_first) {
    if (word.is_acronym) return true;
    return word.is_capital && !is_first && languages_of_word(word.text) == 0;
  }

  void settle_latin(double weight, const Votes& votes) {
    if (weight == 0) return;
    for (int i = 0; i < kNumLatin; ++i) latin_votes_[i] += votes[i];
    const auto language = winner(votes);
    (language == Language::kUnknown ? open_latin_ : words_[static_cast<size_t>(language)]) += weight;
  }

  void settle_han(double han, double kana) {
    words_[static_cast<size_t>(Language::kJapanese)] += kana;
    (kana > 0 ? words_[static_cast<size_t>(Language::kJapanese)] : open_han_) += han;
  }

  void settle_pair(Script script, const std::array<double, 16>& weights, const Votes& votes,
                   std::array<Language, 2> pair) {
    const double weight = weights[static_cast<size_t>(script)];
    const double first = votes[static_cast<size_t>(pair[0])], second = votes[static_cast<size_t>(pair[1])];
    double& open = script == Script::kCyrillic ? open_cyrillic_ : open_arabic_;
    (first == second ? open : words_[static_cast<size_t>(first > second ? pair[0] : pair[1])]) += weight;
  }

  std::vector<Word> sentence_;
  Votes words_{}, latin_votes_{};
  double open_latin_ = 0, open_han_ = 0, open_cyrillic_ = 0, open_arabic_ = 0;
};

// Cuts prose into words and sentences.
class Reader {
 public:
  explicit Reader(Counter& counter) : counter_(counter) {}

  void read(std::string_view prose) {
    for (size_t i = 0; i < prose.size();) {
      const auto unit = text::utf8_unit_at(prose, i);
      const bool is_valid = unit.kind == text::Utf8Unit::Kind::kValid;
      const auto c = is_valid ? text::code_point_at(prose, i).value : U'\uFFFD';
      i += unit.size;
      const auto next = i < prose.size() ? prose[i] : ' ';
      take(c, next);
    }
    end_word();
  }

 private:
  void take(char32_t c, char next) {
    const auto cls = text::char_class(c);
    if (cls & text::kLetter) return take_letter(c);
    if (cls & text::kMark) return;  // of the letter before it
    if ((cls & text::kNumber) || c == '_') {
      is_identifier_ = true;  // with the letters that touch it
      num_letters_ += num_letters_ == 0;
      return;
    }
    const bool is_inner = (c == '\'' || c == U'\u2019') && num_letters_ > 0;
    if (is_inner) {
      word_.text += '\'';
      return;
    }
    end_word();
    const bool is_stop = c == '.' && (next == ' ' || next == '\n' || next == '\r');
    if (is_stop ||
        std::u32string_view(U"!?\n\u3002\uFF01\uFF1F\uFF1B;\u0964\u061F").find(c) != std::u32string_view::npos) {
      counter_.end_sentence();
    }
  }

  void take_letter(char32_t c) {
    const auto script = script_of(c);
    if (num_letters_ > 0 && !is_identifier_ && script != word_.script) end_word();
    if (const double chars = chars_per_word(script); chars > 0) {
      end_word();
      counter_.add({.script = script, .weight = 1 / chars});
      return;
    }
    const auto small = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
    const bool is_capital = small != c;
    if (num_letters_ == 0) {
      word_.script = script;
      word_.is_capital = is_capital;
    }
    is_identifier_ |= is_capital && num_small_ > 0;  // camelCase
    ++num_letters_;
    num_small_ += !is_capital;
    word_.letter_votes |= languages_of_letter(small);
    if (word_.text.size() < kMaxKeptWord) text::append_utf8(word_.text, small);
  }

  void end_word() {
    if (num_letters_ >= 2 && !is_identifier_ && !is_formula_word(word_.text)) {
      while (word_.text.ends_with('\'')) word_.text.pop_back();
      word_.is_acronym = num_small_ == 0 && word_.is_capital && num_letters_ <= kMaxAcronym;
      counter_.add(std::move(word_));
    }
    word_ = {};
    num_letters_ = num_small_ = 0;
    is_identifier_ = false;
  }

  Counter& counter_;
  Word word_;
  size_t num_letters_ = 0, num_small_ = 0;
  bool is_identifier_ = false;
};

Votes count_words(std::string_view text, Language likely) {
  Counter counter;
  Reader reader(counter);
  std::string composed;
  for (auto piece : prose_of(text)) {
    if (!text::is_valid_utf8(piece) || !text::is_surely_nfc(piece)) {
      composed = text::to_nfc(text::to_valid_utf8(piece));
      piece = composed;
    }
    reader.read(piece);
  }
  return counter.finish(likely);
}

std::string_view cut_at_first(std::string_view text, std::initializer_list<std::string_view> marks) {
  for (const auto mark : marks) text = text.substr(0, text.find(mark));
  return text;
}

}  // namespace

std::vector<std::string> known_languages() {
  std::vector<std::string> codes;
  for (int i = 0; i < kNumLanguages; ++i) codes.emplace_back(code_of(static_cast<Language>(i)));
  return codes;
}

LanguageShare count_language(std::string_view text, std::string_view target) {
  const auto language = language_of_code(target);
  const auto words = count_words(text, language);
  LanguageShare share{.all = std::accumulate(words.begin(), words.end(), 0.0)};
  if (language != Language::kUnknown) share.target = words[static_cast<size_t>(language)];
  return share;
}

std::string detect_language(std::string_view text) {
  const auto words = count_words(text, Language::kEnglish);
  const auto best = std::max_element(words.begin(), words.end());
  return *best > 0 ? std::string(code_of(static_cast<Language>(best - words.begin()))) : std::string();
}

std::string_view question_of(std::string_view prompt) {
  const auto r1_zero = text::r1_zero_template();
  const auto place = r1_zero.rfind("prompt");
  if (place != r1_zero.npos && prompt.starts_with(r1_zero.substr(0, place))) {
    prompt.remove_prefix(place);
    return cut_at_first(prompt, {r1_zero.substr(place + 6)});
  }
  size_t begin = 0;
  for (const std::string_view mark :
       {"<|im_start|>user", "<|start_header_id|>user<|end_header_id|>", "<\uFF5CUser\uFF5C>", "<|User|>"}) {
    const auto at = prompt.rfind(mark);
    if (at != prompt.npos) begin = std::max(begin, at + mark.size());
  }
  return cut_at_first(prompt.substr(begin), {"<|im_end|>", "<|eot_id|>", "<\uFF5CAssistant\uFF5C>", "<|Assistant|>"});
}

void validate(const LanguageOptions& options) {
  auto known = known_languages();
  if (options.target == "prompt" || std::ranges::find(known, options.target) != known.end()) return;
  throw Error("rewards.language_target", fmt::format("'{}' is no language that is told apart", options.target),
              fmt::format("use \"prompt\", or one of {}", fmt::join(known, ", ")));
}

std::string LanguageReward::target_of(const Prompt& prompt) const {
  if (options_.target != "prompt") return options_.target;
  boost::system::error_code error;
  const auto metadata = json::bj::parse(prompt.metadata_json, error);
  if (!error && metadata.is_object()) {
    const auto* named = metadata.get_object().if_contains("language");
    if (named != nullptr && named->is_string()) {
      const std::string code(named->get_string());
      if (language_of_code(code) != Language::kUnknown) return code;
    }
  }
  return detect_language(question_of(prompt.text));
}

Score LanguageReward::score(const Prompt& prompt, std::string_view completion, FinishReason) const {
  const auto target = target_of(prompt);
  if (target.empty()) return to_score({Verdict::kUndecided, "the prompt shows no language"});
  const auto chain = trimmed(thinking_of(completion));
  const auto share = count_language(chain, target);
  Score score{.value = chain.empty()   ? 0.0
                       : share.all > 0 ? share.value()
                                       : 1.0,
              .verdict = Verdict::kRight,
              .parts = {}};
  if (score.value < 1)
    score.detail = chain.empty()
                       ? "no chain of thought"
                       : fmt::format("{:.0f} % of {:.0f} words are {}", 100 * share.value(), share.all, target);
  return score;
}

}  // namespace r1::rewards
