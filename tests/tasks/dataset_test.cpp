#include "tasks/dataset.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/error.h"
#include "tasks/countdown.h"
#include "tasks/permutation.h"
#include "tests/support/catch.h"

using namespace r1::tasks;

namespace {

QuestionSet numbered_set(const std::string& name, uint64_t size) {
  return {.name = name, .size = size, .at = [=](uint64_t index) {
            return Question{.id = fmt::format("{}-{}", name, index),
                            .task = "number",
                            .text = fmt::format("{} {}", name, index),
                            .answer = "1"};
          }};
}

std::vector<int32_t> encode_bytes(std::string_view text) { return {text.begin(), text.end()}; }

PromptSource make_source(std::vector<WeightedSet> sets, uint64_t seed = 1) {
  return PromptSource(std::move(sets), {.encode = encode_bytes}, seed);
}

std::vector<std::string> ids(PromptSource& source, int count) {
  std::vector<std::string> found;
  for (const auto& prompt : source.take(count)) found.push_back(prompt.id);
  return found;
}

}  // namespace

TEST_CASE("a permutation visits each place once, for any size") {
  const uint64_t size = GENERATE(1, 2, 3, 4, 5, 7, 16, 17, 100, 1000, 1025, 4099);
  std::vector<int> visits(size);
  const Permutation permutation(size, 42);
  for (uint64_t i = 0; i < size; ++i) {
    REQUIRE(permutation(i) < size);
    ++visits[permutation(i)];
  }
  CHECK(std::all_of(visits.begin(), visits.end(), [](int n) { return n == 1; }));
}

TEST_CASE("a permutation of a huge set stays inside it") {
  const uint64_t size = (uint64_t{1} << 62) + 5;
  const Permutation permutation(size, 7);
  std::set<uint64_t> seen;
  for (uint64_t i = 0; i < 1000; ++i) seen.insert(permutation(i));
  CHECK(seen.size() == 1000);
  CHECK(*seen.rbegin() < size);
}

TEST_CASE("permutations of different keys are unlike, and each place is as likely everywhere") {
  constexpr uint64_t kSize = 8;
  constexpr int kKeys = 8000;
  std::array<std::array<int, kSize>, kSize> counts{};
  for (uint64_t key = 0; key < kKeys; ++key) {
    const Permutation permutation(kSize, key);
    for (uint64_t i = 0; i < kSize; ++i) ++counts[i][permutation(i)];
  }
  for (const auto& row : counts) {
    for (const int count : row) CHECK(count == Approx(kKeys / kSize).margin(150));  // 5 standard deviations
  }
}

TEST_CASE("an epoch shows every question once, and the next in another order") {
  auto source = make_source({{numbered_set("a", 50), 1}});
  auto first = ids(source, 50), second = ids(source, 50);
  CHECK(first != second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  CHECK(std::set(first.begin(), first.end()).size() == 50);
  CHECK(first == second);
  CHECK(source.cursor().sets[0].epoch == 2);
  CHECK(source.cursor().sets[0].position == 0);
}

TEST_CASE("the order depends on the seed") {
  auto a = make_source({{numbered_set("a", 50), 1}}, 1), b = make_source({{numbered_set("a", 50), 1}}, 2);
  auto again = make_source({{numbered_set("a", 50), 1}}, 1);
  const auto order = ids(a, 50);
  CHECK(order != ids(b, 50));
  CHECK(order == ids(again, 50));
}

TEST_CASE("a restored cursor goes on exactly, in the middle of an epoch and of a mix") {
  const auto sets = [] {
    return std::vector<WeightedSet>{
        {numbered_set("a", 13), 1}, {countdown_set({}, Split::kTrain, 3, kEndless), 2}, {numbered_set("c", 7), 0.5}};
  };
  auto whole = make_source(sets());
  ids(whole, 57);
  const auto saved = r1::json::dump(to_json(whole.cursor()));
  const auto expected = ids(whole, 100);

  auto resumed = make_source(sets());
  resumed.restore(cursor_from_json(r1::json::parse(saved, "test"), "test"));
  CHECK(ids(resumed, 100) == expected);
  CHECK(resumed.cursor() == whole.cursor());
}

TEST_CASE("sets are mixed by their weights") {
  auto source = make_source({{numbered_set("a", 10), 1}, {numbered_set("b", 10), 3}});
  std::map<char, int> counts;
  for (const auto& id : ids(source, 4000)) ++counts[id[0]];
  CHECK(counts['a'] == Approx(1000).margin(100));
  CHECK(counts['b'] == Approx(3000).margin(100));
}

TEST_CASE("a set of its own comes in the same order alone as in a mix") {
  auto alone = make_source({{numbered_set("a", 20), 1}});
  auto mixed = make_source({{numbered_set("a", 20), 1}, {numbered_set("b", 20), 1}});
  auto found = ids(mixed, 200);
  found.erase(std::remove_if(found.begin(), found.end(), [](const auto& id) { return id[0] == 'b'; }), found.end());
  found.resize(40);
  CHECK(found == ids(alone, 40));
}

TEST_CASE("a cursor over other data is refused") {
  auto source = make_source({{numbered_set("a", 13), 1}});
  const auto cursor = source.cursor();
  CHECK_THROWS_WITH(make_source({{numbered_set("a", 14), 1}}).restore(cursor), Catch::Contains("'a' of 13"));
  CHECK_THROWS_WITH(make_source({{numbered_set("b", 13), 1}}).restore(cursor), Catch::Contains("'b' of 13 now"));
  CHECK_THROWS_WITH(make_source({{numbered_set("a", 13), 1}, {numbered_set("b", 13), 1}}).restore(cursor),
                    Catch::Contains("1 question sets, and there are 2"));
  auto broken = cursor;
  broken.sets[0].position = 13;
  CHECK_THROWS_WITH(source.restore(broken), Catch::Contains("question 13"));
}

TEST_CASE("a cursor that is damaged is refused with its place") {
  const auto text = GENERATE(as<std::string>(), "[]", "{}", R"({"num_taken": 1})", R"({"num_taken": 1, "sets": [1]})",
                             R"({"num_taken": "x", "sets": []})", R"({"num_taken": 1, "sets": [{"name": "a"}]})");
  CHECK_THROWS_WITH(cursor_from_json(r1::json::parse(text, "x"), "checkpoint/state.json"),
                    Catch::Contains("checkpoint/state.json"));
}

TEST_CASE("sets and weights that cannot work are refused") {
  CHECK_THROWS_WITH(make_source({}), Catch::Contains("no question set"));
  CHECK_THROWS_WITH(make_source({{numbered_set("a", 3), 0}}), Catch::Contains("weight must be above 0"));
  CHECK_THROWS_WITH(make_source({{numbered_set("a", 3), -1}}), Catch::Contains("'a'"));
  CHECK_THROWS_WITH(make_source({{numbered_set("a", 3), std::nan("")}}), Catch::Contains("weight"));
}

TEST_CASE("first_prompts takes a set's first different questions, and always the same") {
  const PromptMaker maker{.encode = encode_bytes};
  const auto set = countdown_set({}, Split::kHeldOut, 1, kEndless);
  const auto prompts = first_prompts(set, 200, maker);
  std::set<std::string> texts;
  for (const auto& prompt : prompts) texts.insert(prompt.text);
  CHECK(texts.size() == 200);
  CHECK(prompts[0].text == set.at(0).text);
  CHECK(first_prompts(set, 200, maker)[199].text == prompts[199].text);
  CHECK_THROWS_WITH(first_prompts(numbered_set("a", 3), 4, maker),
                    Catch::Contains("3 different") && Catch::Contains("'a'"));
}

TEST_CASE("each template renders a question as it says") {
  const Question question{.id = "q", .task = "number", .text = "What is 2+3?", .answer = "5"};
  const auto render = [&](PromptStyle style, RenderChat chat = nullptr) {
    return PromptMaker{style, encode_bytes, std::move(chat)}.make(question).text;
  };
  const RenderChat chat = [](std::span<const Message> messages) {
    std::string text;
    for (const auto& m : messages) text += fmt::format("[{}]{}", m.role, m.content);
    return text + "[assistant]";
  };
  CHECK(render({}) == "What is 2+3?");
  CHECK(render({.suffix = " <think>"}) == "What is 2+3? <think>");
  CHECK(
      render({.form = PromptTemplate::kR1Zero}) ==
      "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The assistant "
      "first thinks about the reasoning process in the mind and then provides the user with the answer. The reasoning "
      "process and answer are enclosed within <think> </think> and <answer> </answer> tags, respectively, i.e., "
      "<think> "
      "reasoning process here </think> <answer> answer here </answer>. User: What is 2+3?. Assistant:");
  CHECK(render({.form = PromptTemplate::kChat}, chat) == "[user]What is 2+3?[assistant]");
  CHECK(render({.form = PromptTemplate::kChat, .system = "Think."}, chat) ==
        "[system]Think.[user]What is 2+3?[assistant]");
  CHECK_THROWS_WITH(render({.form = PromptTemplate::kChat}), Catch::Contains("no chat template"));
}

TEST_CASE("a conversation goes through a chat template, and only a lone question through others") {
  const RenderChat chat = [](std::span<const Message> messages) { return fmt::format("{} messages", messages.size()); };
  Question question{.id = "q7", .messages = {{"system", "s"}, {"user", "u"}}};
  CHECK(PromptMaker{{.form = PromptTemplate::kChat, .system = "other"}, encode_bytes, chat}.make(question).text ==
        "2 messages");
  CHECK_THROWS_WITH((PromptMaker{{}, encode_bytes}.make(question)), Catch::Contains("q7") && Catch::Contains("'chat'"));
  question.messages.erase(question.messages.begin());
  CHECK(PromptMaker{{}, encode_bytes}.make(question).text == "u");
}

TEST_CASE("a prompt carries the question's fields and its token ids, and is held to its limit") {
  const Question question{.id = "q", .task = "number", .text = "abc", .answer = "5", .metadata_json = "[1]"};
  const auto prompt = PromptMaker{{.max_tokens = 3}, encode_bytes}.make(question);
  CHECK(prompt.id == "q");
  CHECK(prompt.task == "number");
  CHECK(prompt.answer == "5");
  CHECK(prompt.metadata_json == "[1]");
  CHECK(prompt.token_ids == std::vector<int32_t>{'a', 'b', 'c'});
  CHECK_THROWS_WITH((PromptMaker{{.max_tokens = 2}, encode_bytes}.make(question)),
                    Catch::Contains("q: gives a prompt of 3 tokens; at most 2"));
  CHECK_THROWS_WITH((PromptMaker{{}, [](std::string_view) { return std::vector<int32_t>{}; }}.make(question)),
                    Catch::Contains("no tokens"));
}
