#pragma once
// Answers that are no mathematics: letters of multiple choice, times, dates, words.

#include <optional>
#include <string>
#include <string_view>

namespace r1::rewards::math {

// "B", "(B)", "B.", "B) 12", "\textbf{(B)}\ 12", "Option B", "choice (b)".
struct Choice {
  char letter = 'A';         // upper case
  std::string_view content;  // what follows the letter; empty if nothing does
};
std::optional<Choice> parse_choice(std::string_view text);

// Minutes after midnight; has_half_day says that "am" or "pm" (or 24-hour digits above 12) made it certain.
struct ClockTime {
  int seconds = 0;
  bool has_half_day = false;
};
std::optional<ClockTime> parse_time(std::string_view text);

// "May 5, 2020", "5 May 2020", "2020-05-05", "May 5", "5/13/2020". Zero for a part that is not there.
struct Date {
  int year = 0, month = 0, day = 0;
  bool operator==(const Date&) const = default;
};
std::optional<Date> parse_date(std::string_view text);

// Whether a text is words: letters, blanks and punctuation, with a word of three letters or more that is no function,
// or one of yes, no, odd, ...
bool is_words(std::string_view text);

// Lower case, single blanks, no articles, no punctuation, no LaTeX text commands.
std::string normalized_words(std::string_view text);

// Takes $...$, \(...\), \boxed{...}, \text{...}, **...**, trailing full stops and the like off both ends.
std::string_view unwrapped(std::string_view text);

// With one backslash for two, a text that was escaped twice on its way here: every command in it has two, and one of
// them is among LaTeX's commonest. Nothing for any other text, where "\\" ends a row.
std::optional<std::string> undoubled(std::string_view text);

}  // namespace r1::rewards::math
