#pragma once
// Puzzles whose answers are checked rather than compared: any solution is right. Countdown has a file of its own
// (rewards/countdown.h); the checkers' rules and keys stand in rewards/puzzle/.

#include <memory>
#include <string_view>

#include "rewards/extract.h"
#include "rewards/reward.h"

namespace r1::rewards {

struct PuzzleOptions {
  AnswerPlace place = AnswerPlace::kTagOrBoxed;
};

// The 24 game. Key: "4 8 6 2" or "[4, 8, 6, 2]"; answers by the grammar of rewards/countdown.h with + - * /, each
// number once, exactly 24. "= 24" may follow.
Judgement check_game24(std::string_view answer, std::string_view key);

// Exact JSON (rewards/puzzle/exact_json.h): the key's document, whatever its blanks, the order of members and the
// spelling of numbers. A Markdown fence around the answer does not count.
Judgement check_json(std::string_view answer, std::string_view key);

// Each undecided for a key that is none.
std::unique_ptr<Reward> make_game24(const PuzzleOptions& options);
std::unique_ptr<Reward> make_knights(const PuzzleOptions& options);      // rewards/puzzle/knights.h
std::unique_ptr<Reward> make_zebra(const PuzzleOptions& options);        // rewards/puzzle/zebra.h
std::unique_ptr<Reward> make_cryptarithm(const PuzzleOptions& options);  // rewards/puzzle/cryptarithm.h
std::unique_ptr<Reward> make_exact_json(const PuzzleOptions& options);

}  // namespace r1::rewards
