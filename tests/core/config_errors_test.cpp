#include <functional>

#include "core/config.h"
#include "core/error.h"
#include "tests/support/catch.h"

namespace r1 {
namespace {

using Catch::Contains;
using Catch::StartsWith;
using Strings = std::vector<std::string>;

Config read(std::string_view text, const Strings& overrides = {}) {
  return Config::from_text(text, "x.toml", overrides);
}

TEST_CASE("Text that is not TOML is refused with file, line and column") {
  struct Row {
    std::string text;
    const char* where;
    const char* why;
  };
  const Row rows[] = {
      {"[", "x.toml:1:", "cut header"},
      {"a = 1\nb = \n", "x.toml:2:", "no value"},
      {"a = 1\na = 2\n", "x.toml:2:", "key twice"},
      {"[t]\n[t]\n", "x.toml:2:", "table twice"},
      {"a = word\n", "x.toml:1:", "bare word"},
      {"a = \"open\n", "x.toml:1:", "open string"},
      {"a = [1, 2\n", "x.toml:", "open array"},
      {"a = 01\n", "x.toml:1:", "leading zero"},
      {"a = 99999999999999999999\n", "x.toml:1:", "integer over 64 bits"},
      {"a = \"\\q\"\n", "x.toml:1:", "unknown escape"},
      {"a = \"\xFF\"\n", "x.toml:1:", "not UTF-8"},
      {std::string("a = \"\0\"\n", 8), "x.toml:1:", "NUL"},
      {"a.b = 1\na = 2\n", "x.toml:2:", "value where a table is"},
      {"= 1\n", "x.toml:1:", "no key"},
      {"a = " + std::string(100'000, '['), "x.toml:1:", "deep nesting"},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    CHECK_THROWS_WITH(read(row.text), StartsWith(row.where) && Contains(": not TOML: "));
    CHECK_THROWS_AS(read(row.text), Error);
  }
}

// "a.a. ... .a"
std::string dotted(size_t parts) {
  std::string key = "a";
  while (key.size() < 2 * parts - 1) key += ".a";
  return key;
}

TEST_CASE("Keys of too many parts are refused before they can overflow the stack") {
  struct Row {
    std::string text;
    const char* where;
    const char* why;
  };
  const std::string multi_line = "s = \"\"\"\nq\\\" ...........................\n\"\"\"\n";
  const Row rows[] = {
      {dotted(17) + " = 1", "x.toml:1:32: ", "one part too many"},
      {dotted(100'000) + " = 1", "x.toml:1:32: ", "enough to crash toml++"},
      {"\n[" + dotted(100'000) + "]\n", "x.toml:2:33: ", "in a header"},
      {"[[" + dotted(100'000) + "]]\n", "x.toml:1:34: ", "in an array's header"},
      {"t = {" + dotted(100'000) + " = 1}", "x.toml:1:37: ", "in an inline table"},
      {"a . \"a\" . 'a' ." + dotted(100'000) + " = 1", "x.toml:1:", "with quotes and blanks"},
      {multi_line + dotted(17) + " = 1", "x.toml:4:32: ", "after a string with dots"},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    CHECK_THROWS_WITH(read(row.text), StartsWith(row.where) && Contains("a key of more than 16 parts"));
  }
  CHECK_THROWS_WITH(read("", {dotted(100'000) + "=1"}), Contains("malformed"));
}

TEST_CASE("What only looks like a key of many parts is let through") {
  const std::string dots = std::string(50, '.');
  for (const std::string& text : {
           dotted(16) + " = 1",
           "s = \"" + dots + "\\\"" + dots + "\"",
           "s = '" + dots + "\\'",
           "s = \"\"\"\n" + dots + "\\\"\"\" \"\n" + dots + "\n\"\"\"",
           "s = '''\n" + dots + "\n' '' " + dots + "\\'''",
           "\"" + dots + "\" = 1",
           "# " + dots,
           std::string(
               "f = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8]"),
       }) {
    INFO(text);
    CHECK_NOTHROW(read(text));
  }
}

TEST_CASE("Tables nest to a depth of 16 however they are written, and deeper is refused") {
  struct Row {
    std::string text;
    bool is_taken;
    const char* why;
  };
  const auto wrapped = [](int times, const char* open, const char* inside, char close) {
    std::string text = "v = ";
    for (int i = 0; i < times; ++i) text += open;
    return text + inside + std::string(times, close);
  };
  const Row rows[] = {
      {dotted(16) + " = 1", true, "dotted key"},
      {"[" + dotted(15) + "]\nx = 1", true, "header and key"},
      {"[" + dotted(15) + "]\nx.y = 1", false, "header and dotted key"},
      {wrapped(15, "{a = ", "1", '}'), true, "inline tables"},
      {wrapped(16, "{a = ", "1", '}'), false, "one inline table more"},
      {wrapped(15, "[", "", ']'), true, "arrays"},
      {wrapped(17, "[", "", ']'), false, "arrays beyond"},
      {wrapped(60, "{a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = ", "1", '}'), false, "as deep as toml++ lets through"},
      {wrapped(100'000, "{a = ", "1", '}'), false, "deeper than toml++ lets through"},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    if (row.is_taken) {
      CHECK(read(read(row.text).effective_toml()).effective_toml() == read(row.text).effective_toml());
    } else {
      CHECK_THROWS_WITH(read(row.text), StartsWith("x.toml:"));
    }
  }
  CHECK_THROWS_WITH(read("", {dotted(16) + "={b = 1}"}), StartsWith("--set a.a.") && Contains("nest deeper than 16"));
}

TEST_CASE("A value of another type is refused with its place, what it is and what was wanted") {
  const Config config = read(R"(
i = 3
d = 3.5
whole = 3.0
b = true
s = "ten"
date = 2024-01-02
mixed = ["a", 1]
[t]
x = 1
[[a]]
y = 1
)");
  const ConfigTable r = config.root();
  struct Row {
    std::function<void()> ask;
    const char* error;
  };
  const Row rows[] = {
      {[&] { r.get_int("s", 0); }, "x.toml:6:1: 's' is the string \"ten\", wanted an integer"},
      {[&] { r.get_int("d", 0); }, "x.toml:3:1: 'd' is the float 3.5, wanted an integer"},
      {[&] { r.get_int("whole", 0); }, "x.toml:4:1: 'whole' is the float 3.0, wanted an integer"},
      {[&] { r.get_int("b", 0); }, "x.toml:5:1: 'b' is the boolean true, wanted an integer"},
      {[&] { r.get_int("t", 0); }, "x.toml:9:2: 't' is a table, wanted an integer"},
      {[&] { r.get_int("a", 0); }, "x.toml:11:3: 'a' is an array of 1, wanted an integer"},
      {[&] { r.get_double("s", 0); }, "x.toml:6:1: 's' is the string \"ten\", wanted a number"},
      {[&] { r.get_bool("i", true); }, "x.toml:2:1: 'i' is the integer 3, wanted true or false"},
      {[&] { r.get_string("i", ""); }, "x.toml:2:1: 'i' is the integer 3, wanted a string"},
      {[&] { r.get_string("date", ""); }, "x.toml:7:1: 'date' is the date or time 2024-01-02, wanted a string"},
      {[&] { r.require_string("i"); }, "x.toml:2:1: 'i' is the integer 3, wanted a string"},
      {[&] { r.get_choice("i", "x", {"x"}); }, "x.toml:2:1: 'i' is the integer 3, wanted a string"},
      {[&] { r.get_strings("s", {}); }, "x.toml:6:1: 's' is the string \"ten\", wanted an array of strings"},
      {[&] { r.get_strings("mixed", {}); },
       "x.toml:8:1: element 1 of 'mixed' is the integer 1, wanted an array of strings"},
      {[&] { r.get_doubles("mixed", {}); },
       "x.toml:8:1: element 0 of 'mixed' is the string \"a\", wanted an array of numbers"},
      {[&] { r.table("i"); }, "x.toml:2:1: 'i' is the integer 3, wanted a table"},
      {[&] { r.table("a"); }, "x.toml:11:3: 'a' is an array of 1, wanted a table"},
      {[&] { r.tables("t"); }, "x.toml:9:2: 't' is a table, wanted an array of tables"},
      {[&] { r.tables("mixed"); }, "x.toml:8:1: element 0 of 'mixed' is the string \"a\", wanted an array of tables"},
      {[&] { r.table("t").get_string("x", ""); }, "x.toml:10:1: 't.x' is the integer 1, wanted a string"},
      {[&] { r.tables("a")[0].get_string("y", ""); }, "x.toml:12:1: 'a.0.y' is the integer 1, wanted a string"},
  };
  for (const Row& row : rows) {
    INFO(row.error);
    CHECK_THROWS_WITH(row.ask(), StartsWith(row.error) && Contains("mend: set it like"));
  }
}

TEST_CASE("An error of type says how to write the value") {
  const Config config = read("v = 1\n[t]\n");
  const ConfigTable r = config.root();
  CHECK_THROWS_WITH(r.tables("t"), Contains("set it like t = [{ key = value }], or as [[t]] on lines of their own"));
  CHECK_THROWS_WITH(r.table("v"), Contains("set it like v = { key = value }, or as [v] on a line of its own"));
  CHECK_THROWS_WITH(r.get_strings("v", {}), Contains("set it like v = [\"one\", \"two\"]"));
  CHECK_THROWS_WITH(r.get_string("v", ""), Contains("set it like v = \"word\""));
}

TEST_CASE("An override of another type is named as the override") {
  const Config config = read("[rl]\nsteps = 1\n", {"rl.steps=many"});
  CHECK_THROWS_WITH(config.table("rl").get_int("steps", 0),
                    StartsWith("--set rl.steps: 'rl.steps' is the string \"many\", wanted an integer"));
}

TEST_CASE("A key read as two types is an Error and no crash") {
  const Config config = read("");
  config.root().get_int("k", 1);
  CHECK_THROWS_WITH(config.root().table("k"), Contains("'k' was read as the integer 1 before"));
}

TEST_CASE("A choice that is not allowed is refused with the list and the nearest") {
  const Config config = read("kind = \"prpo\"\nodd = \"zzz\"\n");
  CHECK_THROWS_WITH(config.root().get_choice("kind", "grpo", {"reinforce", "grpo"}),
                    StartsWith("x.toml:1:1: 'kind' is \"prpo\", allowed are \"reinforce\", \"grpo\"") &&
                        Contains("mend: set kind = \"grpo\""));
  CHECK_THROWS_WITH(config.root().get_choice("odd", "a", {"a", "b"}), Contains("allowed are \"a\", \"b\""));
}

TEST_CASE("A required string that is absent is named with how to give it") {
  CHECK_THROWS_WITH(read("").table("rl").require_string("model"),
                    StartsWith("x.toml: key 'rl.model' is missing") && Contains("--set rl.model=..."));
}

// Asks for what a small program would.
void ask_all(const Config& config) {
  config.root().get_int("seed", 0);
  const ConfigTable rl = config.table("rl");
  rl.get_int("steps", 1);
  rl.get_double("lr", 1);
  rl.table("loss").get_double("clip_eps", 0.2);
  for (const ConfigTable& task : config.root().tables("tasks")) task.get_string("name", "");
}

TEST_CASE("A key nobody asked for is refused with its place and the key that was likely meant") {
  struct Row {
    const char* text;
    Strings overrides;
    const char* error;
    const char* mend;
  };
  const Row rows[] = {
      {"[rl]\nstepz = 1\n", {}, "x.toml:2:1: unknown key 'rl.stepz'", "did you mean 'rl.steps'?"},
      {"sead = 1\n", {}, "x.toml:1:1: unknown key 'sead'", "did you mean 'seed'?"},
      {"[rll]\nsteps = 1\n", {}, "x.toml:1:2: unknown key 'rll'", "did you mean 'rl'?"},
      {"[rl.los]\nclip_eps = 1\n", {}, "x.toml:1:5: unknown key 'rl.los'", "did you mean 'rl.loss'?"},
      {"[rl.loss]\nclip_esp = 1\n",
       {},
       "x.toml:2:1: unknown key 'rl.loss.clip_esp'",
       "did you mean 'rl.loss.clip_eps'?"},
      {"clip_eps = 1\n", {}, "x.toml:1:1: unknown key 'clip_eps'", "did you mean 'rl.loss.clip_eps'?"},
      {"[rl]\nbogus = 1\n", {}, "x.toml:2:1: unknown key 'rl.bogus'", "known in [rl] are: steps, lr, loss"},
      {"bogus = 1\n", {}, "x.toml:1:1: unknown key 'bogus'", "known at the top are: seed, rl, tasks"},
      {"[[tasks]]\nname = \"a\"\n[[tasks]]\nnam = \"b\"\n",
       {},
       "x.toml:4:1: unknown key 'tasks.1.nam'",
       "'tasks.1.name'?"},
      {"[[tasks]]\n[tasks.deep]\nx = 1\n",
       {},
       "x.toml:2:8: unknown key 'tasks.0.deep'",
       "known in [tasks.0] are: name"},
      {"[[task]]\nname = \"a\"\n", {}, "x.toml:1:3: unknown key 'task'", "did you mean 'tasks'?"},
      {"", {"rl.stepz=1"}, "--set rl.stepz: unknown key 'rl.stepz'", "did you mean 'rl.steps'?"},
      {"", {"sead=1"}, "--set sead: unknown key 'sead'", "did you mean 'seed'?"},
      {"", {"rl.los.clip_eps=1"}, "--set rl.los.clip_eps: unknown key 'rl.los'", "did you mean 'rl.loss'?"},
      {"date = 2024-01-02\n", {}, "x.toml:1:1: unknown key 'date'", "known at the top"},
  };
  for (const Row& row : rows) {
    INFO(row.error);
    const Config config = read(row.text, row.overrides);
    ask_all(config);
    CHECK_THROWS_WITH(config.check_all_used(), StartsWith(row.error) && Contains(row.mend));
  }
}

TEST_CASE("The first unknown key of the file is the one named") {
  const Config config = read("b = 1\na = 2\n");
  CHECK_THROWS_WITH(config.check_all_used(), StartsWith("x.toml:1:1: unknown key 'b'"));
}

TEST_CASE("has() counts as asking for a key but not for the keys inside it") {
  const Config config = read("[dpo]\nbeta = 1\n");
  CHECK(config.root().has("dpo"));
  CHECK_THROWS_WITH(config.check_all_used(), Contains("unknown key 'dpo.beta'"));
}

TEST_CASE("A malformed override is refused with how to write one") {
  struct Row {
    const char* text;
    const char* problem;
    const char* why;
  };
  const Row rows[] = {
      {"", "no key=VALUE", "empty"},
      {"word", "no key=VALUE", "no equals sign"},
      {"=5", "no key=VALUE", "no key"},
      {" =5", "is not a dotted key", "blank key"},
      {"a..b=1", "is not a dotted key", "empty part"},
      {".a=1", "is not a dotted key", "leading dot"},
      {"a.=1", "is not a dotted key", "trailing dot"},
      {"a b=1", "is not a dotted key", "blank in a key"},
      {"[t]\na=1", "is not a dotted key", "a header is no key"},
      {"#a=1", "is not a dotted key", "a comment is no key"},
      {"a=[1, 2", "is not a TOML value", "open array"},
      {"a={b=", "is not a TOML value", "open table"},
      {"a=\"open", "is not a TOML value", "open string"},
      {"a='open", "is not a TOML value", "open literal"},
      {"a=1\nb=2", "is not a TOML value", "a second key smuggled in"},
      {"a=1\n[t]\nb=2", "is not a TOML value", "a table smuggled in"},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    CHECK_THROWS_WITH(read("", {row.text}),
                      StartsWith("--set ") && Contains(row.problem) && Contains("--set dotted.key=VALUE"));
  }
}

TEST_CASE("An override cannot pass through a value") {
  CHECK_THROWS_WITH(read("a = 1\n", {"a.b=2"}),
                    StartsWith("--set a.b: 'a' (x.toml:1:1) is the integer 1, wanted a table"));
  CHECK_THROWS_WITH(read("[[t]]\nx = 1\n", {"t.x=2"}), StartsWith("--set t.x: 't' (x.toml:1:3) is an array of 1"));
  CHECK_THROWS_WITH(read("[[t]]\nx = 1\n", {"t.7.x=2"}), Contains("KEY.INDEX.KEY"));
  CHECK_THROWS_WITH(read("t = [1]\n", {"t.0.x=2"}), Contains("wanted a table"));
}

TEST_CASE("An override with a bare string that is not UTF-8 is refused") {
  CHECK_THROWS_AS(read("", {"a=\xFF"}), Error);
  CHECK_THROWS_AS(read("", {"\xFF=1"}), Error);
}

}  // namespace
}  // namespace r1
