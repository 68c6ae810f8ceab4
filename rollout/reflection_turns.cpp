#include "rollout/reflection_turns.h"

#include <algorithm>
#include <utility>

namespace r1::rollout {
namespace {

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view chain_of(std::string_view text) { return text.substr(0, text.find("</think>")); }

// What has been concluded so far, and which words have been met since.
class TurnFinder {
 public:
  TurnFinder(std::string_view chain, const ReflectionWords& words) : chain_(chain), words_(words) {}

  void candidate(const Candidate& c) {
    if (is_verifying_ && !c.is_explicit) return;
    if (!piece_ || c.is_explicit || !piece_->is_explicit) piece_ = c;
  }

  void word(const WordEvent& event) {
    conclude();
    const auto role = words_.words()[static_cast<size_t>(event.word)].role;
    if (role == WordRole::kDropAlone && is_letter_after(event)) return;
    const bool drops = role == WordRole::kDrop || role == WordRole::kDropAlone;
    if (role != WordRole::kNeutral) is_verifying_ = role == WordRole::kVerify;
    if (!any_) any_ = event;
    if (drops && !drop_) drop_ = event;
  }

  std::vector<Turn> finish() {
    conclude();
    return std::move(turns_);
  }

 private:
  bool is_letter_after(const WordEvent& event) const {
    const size_t end = event.offset + words_.words()[static_cast<size_t>(event.word)].word.size();
    const size_t next = chain_.find_first_not_of(" \t\r\n", std::min(end, chain_.size()));
    return next != chain_.npos && is_letter(chain_[next]);
  }

  void conclude() {
    if (!piece_) return;
    const Candidate next = *std::exchange(piece_, std::nullopt);
    if (current_ && current_->is_explicit && !next.is_explicit) return;
    if (current_ && !is_same_answer(current_->answer, next.answer)) {
      const bool both_explicit = current_->is_explicit && next.is_explicit;
      const auto cause = drop_ ? drop_ : both_explicit ? any_ : std::nullopt;
      if (cause) turns_.push_back({cause->offset, cause->word, *current_, next, {}, {}});
    }
    current_ = next;
    any_.reset();
    drop_.reset();
  }

  std::string_view chain_;
  const ReflectionWords& words_;
  std::optional<Candidate> current_, piece_;
  std::optional<WordEvent> any_, drop_;  // the first since current_ was concluded
  bool is_verifying_ = false;
  std::vector<Turn> turns_;
};

}  // namespace

std::vector<Turn> find_turns(std::string_view text, const ReflectionWords& words, std::span<const WordEvent> events,
                             const AnswerChecker& checker) {
  const auto chain = chain_of(text);
  const auto is_inside = [&](const WordEvent& e) { return e.offset < chain.size(); };
  if (std::none_of(events.begin(), events.end(), is_inside)) return {};
  TurnFinder finder(chain, words);
  auto event = events.begin();
  const auto pass_words_before = [&](size_t offset) {
    for (; event != events.end() && event->offset < offset; ++event) finder.word(*event);
  };
  for (const auto& candidate : find_candidates(chain)) {
    pass_words_before(candidate.offset + candidate.statement.size());
    finder.candidate(candidate);
  }
  pass_words_before(chain.size());
  auto turns = finder.finish();
  if (checker) {
    for (auto& turn : turns) {
      turn.from_right = checker(turn.from);
      turn.to_right = checker(turn.to);
    }
  }
  return turns;
}

}  // namespace r1::rollout
