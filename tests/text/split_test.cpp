#include "text/split.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/text/random_text.h"

using r1::Error;
using namespace r1::text;

namespace {

std::vector<std::string> pieces(const std::vector<SplitStep>& steps, const std::string& text) {
  std::vector<std::string> out;
  size_t begin = 0;
  for (const size_t end : piece_ends(steps, text)) {
    out.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return out;
}

std::vector<std::string> pieces(SplitKind kind, const std::string& text) { return pieces({step_of_kind(kind)}, text); }

SplitStep regex(const std::string& pattern) {
  return {SplitKind::kRegex, pattern, std::make_shared<const SplitRegex>(pattern, "t.json")};
}

using Pieces = std::vector<std::string>;

}  // namespace

TEST_CASE("the scanners cut where their regexes match", "[property]") {
  const auto kind = GENERATE(SplitKind::kGpt2, SplitKind::kQwen2, SplitKind::kLlama3, SplitKind::kDeepSeekNumbers,
                             SplitKind::kDeepSeekCjk, SplitKind::kDeepSeekText);
  const auto scanner = step_of_kind(kind);
  const auto pattern = kind == SplitKind::kGpt2
                           ? R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"
                           : scanner.pattern;
  const auto compiled = regex(pattern);
  r1::RandomStream random(20261123, static_cast<uint64_t>(kind));
  for (int i = 0; i < 4000; ++i) {
    const auto text = random_text(random, 24);
    const auto by_scanner = pieces({scanner}, text);
    if (by_scanner != pieces({compiled}, text)) {  // one assertion for all keeps this fast
      INFO(text);
      CHECK(by_scanner == pieces({compiled}, text));
    }
  }
  CHECK(pieces({scanner}, "").empty());
}

TEST_CASE("published patterns are recognised, with line ends escaped or not") {
  const auto deepseek = step_of_kind(SplitKind::kDeepSeekText).pattern;
  std::string with_characters;
  for (size_t i = 0; i < deepseek.size(); ++i) {
    const auto two = deepseek.substr(i, 2);
    if (two == "\\r" || two == "\\n") {
      with_characters += two == "\\r" ? '\r' : '\n';
      ++i;
    } else {
      with_characters += deepseek[i];
    }
  }
  CHECK(step_of_regex(deepseek, "t").kind == SplitKind::kDeepSeekText);
  CHECK(step_of_regex(with_characters, "t").kind == SplitKind::kDeepSeekText);
  CHECK(step_of_regex(with_characters, "t").pattern == with_characters);  // saved as it came
  CHECK(step_of_regex(step_of_kind(SplitKind::kQwen2).pattern, "t").kind == SplitKind::kQwen2);
  CHECK(step_of_regex(step_of_kind(SplitKind::kLlama3).pattern, "t").kind == SplitKind::kLlama3);
  CHECK(step_of_regex("a|b", "t").kind == SplitKind::kRegex);
}

TEST_CASE("text is cut as the published tokenizers cut it") {
  struct Case {
    SplitKind kind;
    std::string text;
    Pieces expected;
    const char* why;
  };
  const auto c = GENERATE(values<Case>({
      {SplitKind::kGpt2, "  two  words ", {" ", " two", " ", " words", " "}, "a run of blanks gives up its last"},
      {SplitKind::kGpt2, "we've 'VE", {"we", "'ve", " '", "VE"}, "contractions are of lower case"},
      {SplitKind::kQwen2, "we'VE '\u017Fx", {"we", "'VE", " '", "\u017Fx"}, "a blank before binds the apostrophe"},
      {SplitKind::kQwen2, "'\u017Fx", {"'\u017F", "x"}, "a long s is an s of another case"},
      {SplitKind::kQwen2, "1234", {"1", "2", "3", "4"}, "each digit alone"},
      {SplitKind::kLlama3, "1234 56", {"123", "4", " ", "56"}, "three digits at most, no blank before"},
      {SplitKind::kLlama3, "a\n\n  b", {"a", "\n\n", " ", " b"}, "line ends go with what blanks stand before them"},
      {SplitKind::kLlama3, "!!\r\n\nx", {"!!\r\n\n", "x"}, "marks take the line ends after them"},
      {SplitKind::kDeepSeekText, "-abc(x", {"-abc", "(x"}, "a mark and Latin letters are one piece"},
      {SplitKind::kDeepSeekText,
       "\x01\x01"
       "a\x01",
       {"\x01",
        "\x01"
        "a",
        "\x01"},
       "what nothing matches is a gap"},
      {SplitKind::kDeepSeekCjk, "a\u4e00\u3042b", {"a", "\u4e00\u3042", "b"}, "CJK runs and the rest"},
      {SplitKind::kDigits, "ab12", {"ab", "1", "2"}, "each digit alone"},
      {SplitKind::kDigitRuns, "ab12 34", {"ab", "12", " ", "34"}, "runs of digits"},
  }));
  INFO(c.why);
  CHECK(pieces(c.kind, c.text) == c.expected);
}

TEST_CASE("each step cuts the pieces of the step before as if each stood alone") {
  const std::vector<SplitStep> steps = {step_of_kind(SplitKind::kDigits), step_of_kind(SplitKind::kGpt2)};
  CHECK(pieces(steps, "a  1b") == Pieces{"a", "  ", "1", "b"});  // the blanks end their piece: nothing follows them
}

TEST_CASE("other regexes run as Oniguruma reads them") {
  struct Case {
    const char* pattern;
    std::string text;
    Pieces expected;
    const char* why;
  };
  const auto c = GENERATE(values<Case>({
      {R"(\s+)", "a\u180Eb\u3000c", {"a\u180Eb", "\u3000", "c"}, "U+180E is no blank any more"},
      {R"(\d+)", "a12b", {"a", "12", "b"}, "digits"},
      {R"(\d)", "\u0663x", {"\u0663", "x"}, "digits of any script"},
      {R"(\w+)", "\u24B6b-c", {"\u24B6b", "-", "c"}, "circled letters are alphabetic"},
      {R"([\w']+)", "it's!", {"it's", "!"}, "shorthands inside a class"},
      {R"(\W)", "a-b", {"a", "-", "b"}, "negated shorthands outside one"},
      {R"(^b)", "a\nb", {"a\n", "b"}, "every line has a start"},
      {R"(\u0041)", "xA", {"x", "A"}, "code points"},
      {R"(x#y z)", "x#y z", {"x#y z"}, "no character is a comment"},
      {R"(a{2})", "aaa", {"aa", "a"}, "counts"},
      {R"((?i:ab)(?=c))", "ABc", {"AB", "c"}, "look-ahead and folded case"},
      {R"(a*)", "baa", {"b", "aa"}, "empty matches cut nothing"},
  }));
  INFO(c.why);
  CHECK(pieces({regex(c.pattern)}, c.text) == c.expected);
}

TEST_CASE("regexes that the two engines read differently are refused by name") {
  struct Case {
    const char* pattern;
    const char* named;
  };
  const auto c = GENERATE(values<Case>({
      {R"(\h)", "'\\h'"},
      {R"(\b)", "'\\b'"},
      {R"(\R)", "'\\R'"},
      {R"(\1)", "'\\1'"},
      {R"([a&&b])", "'&&'"},
      {R"([[a]b])", "nests"},
      {R"([[:alpha:]])", "POSIX"},
      {R"([\S])", "negated"},
      {R"((?<n>a))", "(?<n"},
      {R"((?m:a))", "(?m:"},
      {R"(a{,3})", "lower bound"},
      {R"(\pL)", "braces"},
      {R"(\u12)", "four"},
      {R"(a\)", "backslash"},
      {R"([]a])", "begins a class"},
      {R"(\p{Nope})", "compile"},
      {R"((a)", "compile"},
      {R"([a)", "compile"},
  }));
  INFO(c.pattern);
  CHECK_THROWS_WITH(regex(c.pattern), Catch::Contains(c.named) && Catch::StartsWith("t.json"));
}

TEST_CASE("a regex that backtracks without bound ends in an error") {
  CHECK_THROWS_WITH(pieces({regex("(a+)+$")}, std::string(64, 'a') + "b"), Catch::Contains("backtracks"));
}
