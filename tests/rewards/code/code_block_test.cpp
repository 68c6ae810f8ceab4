#include "rewards/code/code_block.h"

#include "tests/rewards/cpu_time.h"
#include "tests/support/catch.h"

using r1::rewards::code::find_program;

namespace {

constexpr std::string_view kPython[]{"python", "py", "python3"};

struct Row {
  std::string_view why, text, program;  // "" : none
};

constexpr Row kRows[]{
    {"the one block", "Here:\n```python\nx = 1\n```\nDone.", "x = 1\n"},
    {"the last of several", "```python\na\n```\n```python\nb\n```\n", "b\n"},
    {"of its language, before later ones of others", "```python\na\n```\n```text\nout\n```\n", "a\n"},
    {"of its language, before unnamed ones", "```py\na\n```\n```\nb\n```\n", "a\n"},
    {"an unnamed block", "```\na\n```\n", "a\n"},
    {"only blocks of other languages", "```bash\nls\n```\n", ""},
    {"the language in another case, with more words", "```Python3 title=\"x\"\na\n```\n", "a\n"},
    {"pandoc's braces", "```{.python .numberLines}\na\n```\n", "a\n"},
    {"tildes", "~~~python\na\n```\nb\n~~~\n", "a\n```\nb\n"},
    {"a longer fence", "````python\na\n```\nb\n````\n", "a\n```\nb\n"},
    {"a block that is not closed", "```python\na\nb", "a\nb"},
    {"indented with its fence", "1. First:\n   ```python\n   if x:\n       y\n   ```\n", "if x:\n    y\n"},
    {"a draft while thinking", "<think>```python\nno\n```</think>\n```python\nyes\n```\n", "yes\n"},
    {"only a draft", "<think>```python\nno\n```\n</think> I give up.", ""},
    {"within the answer", "```python\nno\n```\n<answer>```python\nyes\n```</answer>", "yes\n"},
    {"an answer without a fence", "<think>x</think><answer>\nprint(1)\n</answer>", "\nprint(1)\n\n"},
    {"an empty answer", "<answer> \n </answer>", ""},
    {"inline code is no block", "Use ```python x``` here.", ""},
    {"no code", "I do not know.", ""},
    {"nothing", "", ""},
    {"carriage returns", "```python\r\na\r\n```\r\n", "a\r\n"},
    {"NUL and broken UTF-8 are the program's", std::string_view("```python\na\0\xff\n```", 17),
     std::string_view("a\0\xff\n", 4)},
};

}  // namespace

TEST_CASE("the program is the last fenced block of its language") {
  const auto row = GENERATE(from_range(std::begin(kRows), std::end(kRows)));
  INFO(row.why);
  CHECK(find_program(row.text, kPython).value_or("") == row.program);
}

TEST_CASE("a block can be asked for by name") {
  const std::string text = "```python solution\na\n```\n```python tests\nb\n```\n";
  CHECK(find_program(text, kPython, "solution") == "a\n");
  CHECK(find_program(text, kPython, "main") == std::nullopt);
}

TEST_CASE("hostile texts take time that is linear in them") {
  const double begin = cpu_seconds();
  std::string fences, ticks(4 << 20, '`'), lines;
  for (int i = 0; i < 500000; ++i) fences += i % 2 == 0 ? "```py\n" : "~~~~\n";
  for (int i = 0; i < 500000; ++i) lines += "<answer>\n";
  for (const auto* text : {&fences, &ticks, &lines}) CHECK_NOTHROW(find_program(*text, kPython));
  CHECK(cpu_seconds() - begin < 5 * kSlowdown);
}
