#pragma once
// Where in a completion its answer stands. Views into the text, in time linear in its length; no regular expressions.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace r1::rewards {

enum class AnswerPlace {
  kTagOrBoxed,  // the last <answer>...</answer>, or the last \boxed{...} if there is none
  kTag,         // the last <answer>...</answer>
  kBoxed,       // the last \boxed{...}
  kAnywhere,    // as kTagOrBoxed, or the whole text if there is neither
};

// Spaces, tabs and newlines off both ends.
std::string_view trimmed(std::string_view text);

// One spelling for votes over answers (Score::answer): runs of blanks as one blank, none at the ends, at most 1024 bytes.
std::string vote_text(std::string_view answer);

// What follows the last </think>, or the whole text: drafts in the reasoning are no answers.
std::string_view after_thinking(std::string_view text);

// Content of the last complete <answer>...</answer>.
std::optional<std::string_view> last_answer_block(std::string_view text);

// Contents of every complete \boxed{...} in order of their opening; an inner box follows the one around it. A brace
// after a backslash does not count.
std::vector<std::string_view> boxed_contents(std::string_view text);

// The last answer of the kind asked for, trimmed, found in after_thinking(completion). An <answer> whose content holds
// a \boxed{...} gives the content of that box.
std::optional<std::string_view> find_answer(std::string_view completion, AnswerPlace place);

}  // namespace r1::rewards
