#include "tasks/jsonl.h"

#include <filesystem>
#include <fstream>
#include <set>

#include "core/error.h"
#include "tests/support/catch.h"

using namespace r1::tasks;

namespace {

// A file that is gone at the end of the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) {
    path_ = std::filesystem::temp_directory_path() / fmt::format("r1_jsonl_{}_{}.jsonl", ::getpid(), ++counter_);
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  static inline int counter_ = 0;
  std::filesystem::path path_;
};

constexpr std::string_view kGood = R"({"prompt": "2+3=", "answer": 5, "task": "number"})";

}  // namespace

TEST_CASE("a line becomes a question") {
  struct Row {
    std::string_view why, line;
    Question question;
  };
  const auto row = GENERATE(values<Row>({
      {"the least",
       R"({"prompt": "2+3=", "answer": "5", "task": "number"})",
       {.id = "f:1", .task = "number", .text = "2+3=", .answer = "5"}},
      {"an id and metadata",
       R"({"prompt": "p", "answer": "5", "task": "number", "id": "a", "metadata": {"k": [1, 2]}})",
       {.id = "a", .task = "number", .text = "p", .answer = "5", .metadata_json = R"({"k":[1,2]})"}},
      {"a number for an id",
       R"({"prompt": "p", "answer": "5", "task": "t", "id": 12})",
       {.id = "12", .task = "t", .text = "p", .answer = "5"}},
      {"an integer answer",
       R"({"prompt": "p", "answer": -12, "task": "t"})",
       {.id = "f:1", .task = "t", .text = "p", .answer = "-12"}},
      {"an integer of 64 bits",
       R"({"prompt": "p", "answer": 18446744073709551615, "task": "t"})",
       {.id = "f:1", .task = "t", .text = "p", .answer = "18446744073709551615"}},
      {"a decimal answer as written",
       R"({"prompt": "p", "answer": 0.1, "task": "t"})",
       {.id = "f:1", .task = "t", .text = "p", .answer = "0.1"}},
      {"a JSON answer",
       R"({"prompt": "p", "answer": {"cases": [1, "a"]}, "task": "t"})",
       {.id = "f:1", .task = "t", .text = "p", .answer = R"({"cases":[1,"a"]})"}},
      {"a boolean answer",
       R"({"prompt": "p", "answer": true, "task": "t"})",
       {.id = "f:1", .task = "t", .text = "p", .answer = "true"}},
      {"other keys are ignored",
       R"({"prompt": "p", "answer": "5", "task": "t", "source": "x", "level": 3})",
       {.id = "f:1", .task = "t", .text = "p", .answer = "5"}},
      {"null stands for absent",
       R"({"prompt": "p", "answer": "5", "task": "t", "id": null, "metadata": null})",
       {.id = "f:1", .task = "t", .text = "p", .answer = "5"}},
      {"escapes and other scripts",
       R"({"prompt": "\u00e9\n\ud83d\ude00", "answer": "5", "task": "t"})",
       {.id = "f:1", .task = "t", .text = "\xC3\xA9\n\xF0\x9F\x98\x80", .answer = "5"}},
  }));
  INFO(row.why);
  const auto q = parse_question(row.line, "f:1", {});
  CHECK(q.id == row.question.id);
  CHECK(q.task == row.question.task);
  CHECK(q.text == row.question.text);
  CHECK(q.answer == row.question.answer);
  CHECK(q.metadata_json == row.question.metadata_json);
  CHECK(q.messages.empty());
}

TEST_CASE("messages are kept as they are") {
  const auto q = parse_question(
      R"({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+3?"}], "answer": 5, "task": "number"})",
      "f:1", {});
  CHECK(q.text.empty());
  REQUIRE(q.messages.size() == 2);
  CHECK(q.messages[0].role == "system");
  CHECK(q.messages[1].content == "2+3?");
}

TEST_CASE("a bad line is an error that names file, line and key") {
  struct Row {
    std::string_view why, line;
    std::vector<std::string> says;
  };
  const auto row = GENERATE(values<Row>({
      {"not JSON", "hello", {}},
      {"cut off", R"({"prompt": "p", "answer")", {}},
      {"two documents", R"({"a":1}{"b":2})", {}},
      {"an array", "[1]", {"array, not a JSON object"}},
      {"no prompt", R"({"answer": "5", "task": "t"})", {"'prompt' is missing"}},
      {"prompt and messages", R"({"prompt": "p", "messages": [], "answer": "5", "task": "t"})", {"both"}},
      {"a prompt of another type", R"({"prompt": 5, "answer": "5", "task": "t"})", {"'prompt' is int64"}},
      {"an empty prompt", R"({"prompt": "", "answer": "5", "task": "t"})", {"'prompt' is empty"}},
      {"no answer", R"({"prompt": "p", "task": "t"})", {"'answer' is missing"}},
      {"a null answer", R"({"prompt": "p", "answer": null, "task": "t"})", {"'answer' is missing"}},
      {"an empty answer", R"({"prompt": "p", "answer": "", "task": "t"})", {"'answer' is empty"}},
      {"no task", R"({"prompt": "p", "answer": "5"})", {"'task' is missing"}},
      {"a task of another type", R"({"prompt": "p", "answer": "5", "task": ["t"]})", {"'task' is array"}},
      {"an id of another type", R"({"prompt": "p", "answer": "5", "task": "t", "id": [1]})", {"'id' is array"}},
      {"more digits than a double keeps",
       R"({"prompt": "p", "answer": 0.12345678901234567, "task": "t"})",
       {"'answer'", "as a string"}},
      {"an integer beyond 64 bits",
       R"({"prompt": "p", "answer": 123456789012345678901234567890, "task": "t"})",
       {"'answer'", "as a string"}},
      {"messages of another type", R"({"messages": "hi", "answer": "5", "task": "t"})", {"'messages'"}},
      {"no messages", R"({"messages": [], "answer": "5", "task": "t"})", {"empty array"}},
      {"a message that is a string", R"({"messages": ["hi"], "answer": "5", "task": "t"})", {"messages[0]"}},
      {"a message without content",
       R"({"messages": [{"role": "user"}], "answer": "5", "task": "t"})",
       {"messages[0]", "'content'"}},
      {"an unknown role",
       R"({"messages": [{"role": "robot", "content": "x"}], "answer": "5", "task": "t"})",
       {"messages[0]", "'robot'"}},
      {"invalid UTF-8", "{\"prompt\": \"\xFF\xFE\", \"answer\": \"5\", \"task\": \"t\"}", {}},
      {"a NUL byte", std::string_view("{\"prompt\": \"a\0b\"}", 16), {}},
  }));
  INFO(row.why);
  const TemporaryFile file(fmt::format("{}\n\n{}\n", kGood, row.line));
  const auto place = fmt::format("{}:3", file.path().string());
  CHECK_THROWS_WITH(jsonl_set(file.path(), {}), Catch::Contains(place));
  for (const auto& text : row.says) CHECK_THROWS_WITH(jsonl_set(file.path(), {}), Catch::Contains(text));
}

TEST_CASE("a default task stands in where a line names none") {
  const auto q = parse_question(R"({"prompt": "p", "answer": "5"})", "f:1", {.default_task = "number"});
  CHECK(q.task == "number");
  CHECK(parse_question(kGood, "f:1", {.default_task = "text"}).task == "number");
}

TEST_CASE("a file is read whole, with blank lines, CRLF, a byte order mark and no newline at its end") {
  const TemporaryFile file(fmt::format("\xEF\xBB\xBF{}\r\n\r\n   \n{}", kGood, kGood));
  const auto set = jsonl_set(file.path(), {});
  REQUIRE(set.size == 2);
  CHECK(set.name == file.path().filename().string());
  CHECK(set.at(0).id == fmt::format("{}:1", file.path().string()));
  CHECK(set.at(1).id == fmt::format("{}:4", file.path().string()));
  CHECK(set.at(1).answer == "5");
  CHECK_THROWS_AS(set.at(2), std::out_of_range);
}

TEST_CASE("questions stream in the file's order") {
  std::string content;
  for (int i = 0; i < 100; ++i)
    content += fmt::format(R"({{"prompt":"p{0}","answer":{0},"task":"number"}})"
                           "\n",
                           i);
  const TemporaryFile file(content);
  int next = 0;
  for_each_question(file.path(), {}, [&](const Question& q) { REQUIRE(q.text == fmt::format("p{}", next++)); });
  CHECK(next == 100);
}

TEST_CASE("an id that stands twice is an error that names both lines") {
  const TemporaryFile file(R"({"prompt": "a", "answer": "1", "task": "t", "id": "x"}
{"prompt": "b", "answer": "1", "task": "t", "id": "y"}
{"prompt": "c", "answer": "1", "task": "t", "id": "x"}
)");
  CHECK_THROWS_WITH(jsonl_set(file.path(), {}), Catch::Contains(":3") && Catch::Contains("'x', which line 1 has too"));
}

TEST_CASE("a file without questions is an error") {
  const auto content = GENERATE(as<std::string>(), "", "\n", "  \n\n");
  const TemporaryFile file(content);
  CHECK_THROWS_WITH(jsonl_set(file.path(), {}), Catch::Contains("without a question"));
  CHECK_THROWS_AS(for_each_question(file.path(), {}, [](Question) {}), r1::Error);
}

TEST_CASE("a missing file is an error that names it") {
  CHECK_THROWS_WITH(jsonl_set("/no/such/file.jsonl", {}), Catch::Contains("/no/such/file.jsonl"));
}

TEST_CASE("a file's questions are shared out by what they ask, not by where they stand") {
  std::string content, turned;
  for (int i = 0; i < 400; ++i) {
    const auto line = fmt::format(R"({{"prompt":"question {0}","answer":{0},"task":"number"}})"
                                  "\n",
                                  i);
    content += line;
    turned = line + turned;
  }
  const TemporaryFile file(content), other(turned);
  const auto texts = [](const std::filesystem::path& path, Split split) {
    std::set<std::string> found;
    for_each_question(path, {.split = split}, [&](const Question& q) { found.insert(q.text); });
    return found;
  };
  const auto train = texts(file.path(), Split::kTrain), held_out = texts(file.path(), Split::kHeldOut);
  CHECK(train.size() + held_out.size() == 400);
  CHECK(held_out.size() > 20);
  CHECK(held_out.size() < 65);
  for (const auto& text : held_out) REQUIRE(train.count(text) == 0);
  CHECK(texts(other.path(), Split::kHeldOut) == held_out);
  CHECK(jsonl_set(file.path(), {.split = Split::kHeldOut}).size == held_out.size());
  CHECK_THROWS_WITH(jsonl_set(file.path(), {.split = Split::kHeldOut, .held_out_modulus = 0}),
                    Catch::Contains("'held_out'"));
}

TEST_CASE("a code row carries its tests as they are written, with its language") {
  const std::string tests = R"({ "entry_point": "f", "cases": [{"args": ["}\"]", 123456789012345678901], "result": 1.0}] })";
  const auto row = R"({"prompt": "Write f", "task": "code", "tests": )" + tests + R"(, "language": "python"})";
  const auto question = parse_question(row, "f.jsonl:1", {});
  CHECK(question.answer == R"({"language":"python","tests":)" + tests + "}");
  CHECK(parse_question(R"({"prompt": "p", "task": "code", "tests": {}})", "f:1", {}).answer == R"({"tests":{}})");
}

TEST_CASE("code rows that cannot work name their key") {
  struct Row {
    std::string text, says;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"prompt": "p", "task": "code", "tests": [], "language": "python"})", "tests"},
      {R"({"prompt": "p", "task": "code", "tests": {}, "language": 3})", "language"},
      {R"({"prompt": "p", "task": "code", "tests": {}, "answer": "x"})", "both 'answer' and 'tests'"},
  }));
  INFO(row.text);
  CHECK_THROWS_WITH(parse_question(row.text, "f:1", {}), Catch::Contains("f:1") && Catch::Contains(row.says));
}
