#include "core/config.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "tests/core/temp_folder.h"
#include "tests/support/catch.h"

namespace r1 {
namespace {

using Catch::Contains;
using Strings = std::vector<std::string>;

Config read(std::string_view text, const Strings& overrides = {}) {
  return Config::from_text(text, "x.toml", overrides);
}

constexpr std::string_view kExample = R"(
name = "run \"one\""
seed = 7
[rl]
steps = 100
lr = 1e-6
scale = 2          # an integer where a double is wanted
whiten = true
stops = ["a", "b"]
weights = [1, 0.5]
[rl.loss]
kind = "ppo"
[[tasks]]
name = "arithmetic"
[[tasks]]
name = "countdown"
[tasks.options]
depth = 3
)";

TEST_CASE("Readers give what the file says") {
  const Config config = read(kExample);
  CHECK(config.root().get_string("name", "") == "run \"one\"");
  CHECK(config.root().get_int("seed", 0) == 7);
  const ConfigTable rl = config.table("rl");
  CHECK(rl.get_int("steps", 1) == 100);
  CHECK(rl.get_double("lr", 1) == 1e-6);
  CHECK(rl.get_double("scale", 1) == 2.0);
  CHECK(rl.get_bool("whiten", false));
  CHECK(rl.get_strings("stops", {}) == Strings{"a", "b"});
  CHECK(rl.get_doubles("weights", {}) == std::vector<double>{1, 0.5});
  CHECK(rl.table("loss").get_choice("kind", "grpo", {"grpo", "ppo"}) == "ppo");
  CHECK(rl.table("loss").require_string("kind") == "ppo");
  const auto tasks = config.root().tables("tasks");
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[0].get_string("name", "") == "arithmetic");
  CHECK(tasks[1].get_string("name", "") == "countdown");
  CHECK(tasks[1].table("options").get_int("depth", 0) == 3);
  CHECK_NOTHROW(config.check_all_used());
}

TEST_CASE("Readers give the default for what the file does not say") {
  for (const ConfigTable& table : {read("").root(), read("").table("a").table("b"), ConfigTable()}) {
    CHECK(table.get_int("i", 5) == 5);
    CHECK(table.get_double("d", 0.5) == 0.5);
    CHECK(table.get_bool("b", true));
    CHECK(table.get_string("s", "x") == "x");
    CHECK(table.get_strings("ss", {"x"}) == Strings{"x"});
    CHECK(table.get_doubles("ds", {1}) == std::vector<double>{1});
    CHECK(table.get_choice("c", "one", {"one", "two"}) == "one");
    CHECK(table.tables("ts").empty());
    CHECK_FALSE(table.has("i"));
    CHECK(table.get_int("i", 6) == 6);  // a second reader has its own default
  }
}

TEST_CASE("has() tells what is in the file or an override, not what has a default") {
  const Config config = read("a = 1\n[t]\n", {"b.c=2"});
  CHECK(config.root().has("a"));
  CHECK(config.root().has("t"));
  CHECK(config.root().has("b"));
  CHECK_FALSE(config.root().has("z"));
  config.root().get_int("z", 1);
  config.root().table("y").get_int("x", 1);
  CHECK_FALSE(config.root().has("z"));
  CHECK_FALSE(config.root().has("y"));
}

TEST_CASE("where() names a key as error texts do") {
  const Config config = read("[rl.loss]\n  clip_eps = 0.2\n", {"rl.steps=5"});
  CHECK(config.table("rl").table("loss").where("clip_eps") == "rl.loss.clip_eps (x.toml:2:3)");
  CHECK(config.table("rl").where("steps") == "rl.steps (--set rl.steps)");
  CHECK(config.table("rl").where("absent") == "rl.absent (x.toml)");
  CHECK(config.root().where("odd key") == "\"odd key\" (x.toml)");
}

TEST_CASE("from_file reads a file and names it") {
  const TempFolder folder;
  put(folder / "x.toml", "\xEF\xBB\xBFsteps = 3\r\nstepz = 4\r\n");
  const Config config = Config::from_file(folder / "x.toml", {"more=1"});
  CHECK(config.root().get_int("steps", 0) == 3);
  CHECK(config.root().get_int("more", 0) == 1);
  CHECK_THROWS_WITH(config.check_all_used(), Contains((folder / "x.toml").string() + ":2:1: unknown key 'stepz'"));
  CHECK_THROWS_WITH(Config::from_file(folder / "none.toml"), Contains("No such file or directory"));
  CHECK_THROWS_WITH(Config::from_file(folder.path()), Contains("Is a directory"));
}

TEST_CASE("Overrides set keys that are there and keys that are not") {
  struct Row {
    const char* text;
    const char* toml;  // what the setting is then, at t.v
    const char* why;
  };
  const Row rows[] = {
      {"t.v=5", "5", "integer"},
      {"t.v = 5", "5", "blanks"},
      {"t.v=-1.5e-3", "-0.0015", "float"},
      {"t.v=true", "true", "boolean"},
      {"t.v=word", "\"word\"", "bare word"},
      {"t.v=runs/x-1/y.gguf", "\"runs/x-1/y.gguf\"", "path"},
      {"t.v=a b=c", "\"a b=c\"", "bare text with an equals sign"},
      {"t.v=#1", "\"#1\"", "text that TOML would take for a comment"},
      {"t.v=", "\"\"", "empty text"},
      {"t.v=\"5\"", "\"5\"", "quoted"},
      {"t.v='a\\b'", "\"a\\\\b\"", "literal string"},
      {"t.v=[1, 2]", "[1, 2]", "array"},
      {"t.v=[\"a\"]", "[\"a\"]", "array of strings"},
      {"\"t\".'v'=1", "1", "quoted keys"},
      {"t.v=inf", "inf", "infinity"},
      {"t.v=0x10", "16", "hexadecimal"},
      {"t.v=True", "\"True\"", "Python's true is a word here"},
  };
  for (const char* file : {"", "[t]\nv = 0\n", "t = {v = \"x\"}\n", "[t]\nother = 0\n"}) {
    for (const Row& row : rows) {
      INFO(row.why << " over '" << file << "'");
      CHECK_THAT(read(file, {row.text}).effective_toml(), Contains(std::string("v = ") + row.toml + "\n"));
    }
  }
}

TEST_CASE("The last override wins, and a table takes the place of a value") {
  CHECK(read("a = 1", {"a=2", "a=3"}).root().get_int("a", 0) == 3);
  CHECK(read("a = 1", {"a={b = 2}"}).table("a").get_int("b", 0) == 2);
  CHECK(read("", {"a={b = 2}", "a.c=3"}).table("a").get_int("c", 0) == 3);
}

TEST_CASE("An override reaches into an array of tables by index") {
  const Config config = read("[[tasks]]\nw = 1\n[[tasks]]\nw = 2\n", {"tasks.1.w=5", "tasks.0.new=6"});
  const auto tasks = config.root().tables("tasks");
  CHECK(tasks[0].get_int("w", 0) == 1);
  CHECK(tasks[0].get_int("new", 0) == 6);
  CHECK(tasks[1].get_int("w", 0) == 5);
}

TEST_CASE("The settings in force hold the file, the overrides and the defaults asked for") {
  const Config config = read("z = 1\n[rl]\nsteps = 2\n", {"rl.lr=0.5"});
  config.root().get_int("z", 0);
  config.root().get_string("name", "none");
  config.table("rl").get_int("steps", 0);
  config.table("rl").table("loss").get_double("clip", 0.2);
  config.table("rl").table("never_filled");
  config.root().has("not_there");
  config.root().tables("none");
  config.table("data").get_strings("files", {"a", "b"});
  CHECK(config.effective_toml() ==
        "z = 1\n"
        "name = \"none\"\n"
        "\n[rl]\n"
        "steps = 2\n"
        "lr = 0.5\n"
        "\n[rl.loss]\n"
        "clip = 0.2\n"
        "\n[data]\n"
        "files = [\"a\", \"b\"]\n");
}

TEST_CASE("The settings in force read back to the same settings in force") {
  const char* texts[] = {
      "",
      "a = 1\nb = -9223372036854775808\nc = 9223372036854775807\n",
      "a = 0.1\nb = 1e300\nc = 5e-324\nd = -0.0\ne = 3.0\nf = inf\ng = -inf\nh = 1e22\n",
      R"(s = "q\" b\\ n\n t\t r\r e\u001b d\u007f nul\u0000 \u00e9 \U0001F600")",
      "s = '''multi\nline \\ 'quoted' '''\n",
      "\"odd key\" = 1\n\"\" = 2\n\"a.b\" = 3\n'q\"' = 4\n[\"x y\".z]\nk = 1\n",
      "a = []\nb = [[1, 2], [], [\"x\"]]\nc = [{x = 1}, 2]\nd = {}\n[e]\n",
      "[[t]]\nn = 1\n[[t.u]]\nm = 1\n[[t.u]]\nm = 2\n[t.v]\nk = 3\n[[t]]\n[t.v.w]\nx = 1\n",
      "[a.b.c]\nx = 1\n[a]\ny = 2\n",
      "d = 1979-05-27\nt = 07:32:00\no = 1979-05-27T00:32:00-07:00\n",
  };
  for (const char* text : texts) {
    INFO(text);
    const std::string once = read(text).effective_toml();
    CHECK(read(once).effective_toml() == once);
  }
  CHECK(read(read(kExample).effective_toml()).effective_toml() == read(kExample).effective_toml());
}

TEST_CASE("Values survive the settings in force bit for bit") {
  const std::string hostile("q\" b\\ \n\t\r\x1b\x7f\0 \xC3\xA9", 15);
  const Config config = read("");
  config.root().get_string("s", hostile);
  config.root().get_double("d", 0.1 + 0.2);
  config.root().get_double("tiny", 5e-324);
  config.root().get_double("whole", 1e15);
  config.root().get_double("inf", -std::numeric_limits<double>::infinity());
  config.root().get_double("nan", std::nan(""));
  const Config back = read(config.effective_toml());
  CHECK(back.root().get_string("s", "") == hostile);
  CHECK(back.root().get_double("d", 0) == 0.1 + 0.2);
  CHECK(back.root().get_double("tiny", 0) == 5e-324);
  CHECK(back.root().get_double("whole", 0) == 1e15);
  CHECK(back.root().get_double("inf", 0) == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(back.root().get_double("nan", 0)));
}

TEST_CASE("nearest() finds slips of the finger and nothing else") {
  struct Row {
    const char* word;
    std::optional<std::string> found;
    const char* why;
  };
  const Strings known = {"steps", "group_size", "lr", "learning_rate", "seed", "x"};
  const Row rows[] = {
      {"stepz", "steps", "one letter wrong"},
      {"step", "steps", "one missing"},
      {"stepss", "steps", "one too many"},
      {"setps", "steps", "two swapped"},
      {"Steps", "steps", "case"},
      {"rl", "lr", "two letters swapped"},
      {"groupsize", "group_size", "underscore"},
      {"learning_rte", "learning_rate", "long word"},
      {"leraning_rat", "learning_rate", "two slips in a long word"},
      {"temperature", std::nullopt, "another word"},
      {"stops", "steps", "near enough"},
      {"y", std::nullopt, "one letter is no slip of another"},
      {"", std::nullopt, "empty"},
  };
  for (const Row& row : rows) {
    INFO(row.why << ": " << row.word);
    CHECK(nearest(row.word, known) == row.found);
  }
  CHECK_FALSE(nearest("x", {}).has_value());
  CHECK_FALSE(nearest(std::string(100'000, 'x'), {std::string(100'000, 'x')}).has_value());
}

}  // namespace
}  // namespace r1
