// A reply: its structure under every option, its prose and its languages.

#include "rewards/format.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rewards/language.h"
#include "rewards/prose.h"
#include "rewards/repetition.h"

using namespace r1::rewards;

namespace {

void require(bool holds) {
  if (!holds) abort();
}

bool is_inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_format(std::string_view reply, FormatOptions options) {
  const auto strict = parse_reply(reply, options);
  if (strict) require(is_inside(strict->think, reply) && is_inside(strict->answer, reply));
  options.partial_credit = 0.5;
  const double value = format_value(reply, options);
  require(strict ? value == 1 : value >= 0 && value <= 0.5);
  if (options.strictness == FormatStrictness::kLenient) return;
  options.strictness = FormatStrictness::kLenient;
  const auto lenient = parse_reply(reply, options);
  require(!strict || (lenient && lenient->think == strict->think && lenient->answer == strict->answer));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto structure : {FormatStructure::kThinkAnswer, FormatStructure::kThinkSummary}) {
    for (const auto opening : {ThinkOpening::kInReply, ThinkOpening::kInPrompt}) {
      for (const int64_t least : {0, 3}) {
        check_format(text, {.structure = structure, .opening = opening, .min_think_chars = least});
      }
    }
  }
  require(is_inside(thinking_of(text), text));
  for (const auto piece : prose_of(text)) require(is_inside(piece, text));
  const auto share = count_language(text, "zh");
  require(share.target >= 0 && share.target <= share.all + 1e-9 && std::isfinite(share.all));
  require(is_inside(question_of(text), text));
  const double repeated = repeated_share(text, 3);
  require(repeated >= 0 && repeated < 1);
  return 0;
}
