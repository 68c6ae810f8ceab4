#include "rollout/trace_print.h"

#include <clocale>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/error.h"
#include "core/json.h"
#include "rollout/trace_json.h"
#include "rollout/trace_table.h"
#include "tests/rollout/database_support.h"
#include "tests/support/catch.h"

using namespace r1;
using namespace r1::rollout;
using namespace r1::rollout::test;

namespace {

// What print_traces() prints, and its status.
struct Printed {
  std::string text;
  int status = 0;
};

Printed printed(TraceCommand command) {
  if (command.width == 0) command.width = 100;
  char* data = nullptr;
  size_t size = 0;
  std::FILE* out = open_memstream(&data, &size);
  Printed result;
  result.status = print_traces(command, out);
  std::fclose(out);
  result.text.assign(data, size);
  std::free(data);
  return result;
}

constexpr const char* kHostile =
    "\x1b[2J\x1b]52;c;ZXZpbA==\x07 wait \r\n\x9b"
    "31m \xe2\x80\xae gnp.exe \xff <script>";

void write_run(const std::filesystem::path& file) {
  RolloutWriter writer(file, run_info());
  for (int64_t step = 0; step < 3; ++step) {
    writer.add_group("rl", step, Split::kTrain,
                     make_group("p0", {kRight, kWrong, fmt::format("attempt {} but wait", step)}));
    writer.add_step({.stage = "rl", .step = step, .metrics = {{"reward", 0.5}}, .seconds = 2});
  }
  auto hostile = make_group(kHostile, {kHostile});
  hostile.prompt.text = hostile.prompt.answer = hostile.prompt.task = kHostile;
  hostile.scores[0].detail = kHostile;
  hostile.scores[0].parts = {{kHostile, 1.0}};
  writer.add_group(kHostile, 0, Split::kTrain, hostile);
  writer.add_step({.stage = kHostile, .step = 0, .metrics = {{kHostile, 1.0}}});
  writer.add_evaluation({.stage = kHostile, .step = 0, .name = kHostile, .num_prompts = 1});
  writer.add_lineage(kHostile, kHostile, {10});
}

struct Fixture {
  Fixture() { write_run(folder.file()); }
  TraceCommand command() const { return {.run = folder.path(), .stage = "rl"}; }
  Folder folder;
};

bool is_harmless(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n') || byte == 0x7f) return false;
  }
  return text.find("\xe2\x80\xae") == text.npos && text.find("\xc2\x9b") == text.npos && valid_utf8(text) == text;
}

}  // namespace

TEST_CASE("display_width counts columns, not bytes") {
  CHECK(display_width("wait") == 4);
  CHECK(display_width("") == 0);
  CHECK(display_width("\xe7\xad\x89") == 2);  // a wide character
  CHECK(display_width("e\xcc\x81") == 1);     // a combining one
  CHECK(display_width("\xff") == 1);
}

TEST_CASE("fit cuts to a width and shows that it did") {
  CHECK(fit("wait", 4) == "wait");
  CHECK(fit("waiting", 6) == "wai...");
  CHECK(fit("\xe7\xad\x89\xe7\xad\x89\xe7\xad\x89", 5) == "\xe7\xad\x89...");
  CHECK(display_width(fit("waiting", 2)) == 2);
  CHECK(fit("x", 0).empty());
}

TEST_CASE("wrap breaks lines at blanks, and long words anywhere") {
  CHECK(wrap("one two three four", 12) == "one two\nthree four\n");
  CHECK(wrap("a\n\nb", 20, "  ") == "  a\n\n  b\n");
  CHECK(wrap("aaaaaaaaaaaaaaaaaaaa", 12) == "aaaaaaaaaaaa\naaaaaaaa\n");
  CHECK(wrap("", 20, "> ") == ">\n");
}

TEST_CASE("Table aligns its columns and keeps to its width") {
  Table table({{"step"}, {"text", Align::kLeft}});
  table.add({"7", "short"});
  table.add({"1234", std::string(200, 'x')});
  CHECK(table.render(40) == "step  text\n   7  short\n1234  " + std::string(31, 'x') + "...\n");
}

TEST_CASE("curve_plot draws values from left to right between their extremes") {
  const std::vector<double> rising{0, 1, 2, 3};
  CHECK(curve_plot(rising, {.width = 20, .height = 4, .title = "up", .style = PlotStyle::kAscii}) ==
        "up\n"
        " 3.00 |           **\n"
        "      |       ****\n"
        "      |   ****\n"
        "0.000 |***\n"
        "      +0           3\n");
  const std::vector<double> wave{0, 1, 0};
  CHECK(curve_plot(wave, {.width = 20, .height = 2, .steps = {10, 30}, .style = PlotStyle::kUnicode}).find("10") !=
        std::string::npos);
}

TEST_CASE("curve_plot stands values that no plot can show") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const auto style = GENERATE(PlotStyle::kUnicode, PlotStyle::kAscii);
  const PlotOptions options{.width = 30, .height = 3, .style = style};
  CHECK(curve_plot(std::vector<double>{}, options) == "  (no values)\n");
  CHECK(curve_plot(std::vector<double>{nan, inf}, options) == "  (no values)\n");
  CHECK(curve_plot(std::vector<double>{1}, options).size() > 10);
  CHECK(curve_plot(std::vector<double>{5, 5, 5}, options).find("5.00") != std::string::npos);
  CHECK(curve_plot(std::vector<double>{1, nan, 3, -inf, 2}, options).size() > 10);
  CHECK(curve_plot(std::vector<double>(100'000, 1e300), options).find("1.0e+300") != std::string::npos);
  CHECK(curve_plot(std::vector<double>{1, 2}, {.width = -5, .height = -5, .style = style}).size() > 10);
}

TEST_CASE("a plot's lines keep to its width, in either style") {
  const auto style = GENERATE(PlotStyle::kUnicode, PlotStyle::kAscii);
  std::vector<double> values;
  for (int i = 0; i < 500; ++i) values.push_back(std::sin(i / 30.0));
  const auto plot = curve_plot(values, {.width = 64, .height = 9, .style = style});
  for (size_t begin = 0; begin < plot.size(); begin = plot.find('\n', begin) + 1) {
    CHECK(display_width(plot.substr(begin, plot.find('\n', begin) - begin)) <= 64);
  }
  CHECK(std::count(plot.begin(), plot.end(), '\n') == 10);
}

TEST_CASE("sparkline goes from the least value to the largest") {
  CHECK(sparkline(std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}, 8, PlotStyle::kAscii) == "_.-~=+*#");
  CHECK(sparkline(std::vector<double>{0, 7}, 8, PlotStyle::kUnicode) == "\xe2\x96\x81\xe2\x96\x88");
  CHECK(sparkline(std::vector<double>{1, 1}, 8, PlotStyle::kAscii) == "__");
  CHECK(sparkline(std::vector<double>{1, std::nan(""), 2}, 8, PlotStyle::kAscii) == "_ #");
  CHECK(sparkline(std::vector<double>{}, 8, PlotStyle::kAscii).empty());
  CHECK(sparkline(std::vector<double>(1000, 3.0), 8, PlotStyle::kAscii).size() == 8);
}

TEST_CASE_METHOD(Fixture, "the overview shows the run, its stages and the trend") {
  const auto text = printed(command()).text;
  CHECK_THAT(text, Catch::Contains("run zero  started 2026-11-23T10:00:00Z  r1 0.1.0\n"));
  CHECK_THAT(text, Catch::Contains("stage  "));
  CHECK_THAT(text, Catch::Contains("    0-2      0.1        9     0.333    21.0             0"));
  CHECK_THAT(text, Catch::Contains("step  samples  accuracy  reward  tokens   cut  turns  eval acc.  seconds\n"));
  CHECK_THAT(text, Catch::Contains("   2        3     0.333   0.433    21.0  0.33   0.33          -      2.0\n"));
}

TEST_CASE_METHOD(Fixture, "a step lists its groups") {
  auto c = command();
  c.step = 1;
  CHECK_THAT(printed(c).text, Catch::Contains("reward=0.5"));
  CHECK_THAT(printed(c).text, Catch::Contains("group  split  prompt id  right  reward  tokens  turns  prompt\n"));
  CHECK_THAT(printed(c).text, Catch::Contains("    2  train  p0           1/3   0.433    21.0      1  3 5 2 = 17"));
  c.step = 99;
  CHECK_THROWS_WITH(printed(c), Catch::Contains("no step 99"));
}

TEST_CASE_METHOD(Fixture, "a group shows its samples side by side") {
  auto c = command();
  c.group = "p0";
  const auto text = printed(c).text;
  CHECK_THAT(text, Catch::Contains("group 3  rl step 2  train  task countdown  prompt p0\n"));
  CHECK_THAT(text, Catch::Contains("answer key: 17\n"));
  CHECK_THAT(text,
             Catch::Contains("     8  1  wrong     0.100     -0.500      21  length      0  <think>3+5=8, 8*2=16</th"));
  c.step = 0;
  CHECK_THAT(printed(c).text, Catch::Contains("group 1  rl step 0"));
  c.step = 77;
  CHECK_THROWS_WITH(printed(c), Catch::Contains("was not sampled at that step"));
}

TEST_CASE_METHOD(Fixture, "a sample shows its text, rewards and reflection events, and its tokens when asked") {
  auto c = command();
  c.sample = 1;
  auto text = printed(c).text;
  CHECK_THAT(text, Catch::Contains("20 tokens, finish stop, weights 7\n"));
  CHECK_THAT(text, Catch::Contains("verdict right  reward 1.1000  advantage 1.5000\n"));
  CHECK_THAT(text, Catch::Contains("parts: accuracy 1.000, format 0.100\n"));
  CHECK_THAT(text, Catch::Contains("    21  no wait     16 (wrong) -> 17 (right)\n"));
  CHECK_THAT(text, !Catch::Contains("logprob"));
  c.wants_tokens = true;
  c.token_text = [](int32_t id) { return fmt::format("<{}>\x1b", id); };
  text = printed(c).text;
  CHECK_THAT(text, Catch::Contains("#  id  token     logprob  sampling      gap  weights  advantage\n"));
  CHECK_THAT(text, Catch::Contains("3   3  <3>\\x1b   -0.3750    0.1250  -0.5000        7      1.500\n"));
}

TEST_CASE_METHOD(Fixture, "a search shows its hits in brackets, and finding nothing is status 1") {
  auto c = command();
  c.search = "attempt";
  c.limit = 1;
  const auto hit = printed(c);
  CHECK(hit.status == 0);
  CHECK_THAT(
      hit.text,
      Catch::Contains("sample 9  rl step 2  train  countdown  wrong  reward 0.100  22 tokens  turns 0  prompt p0\n"));
  CHECK_THAT(hit.text, Catch::Contains("  [attempt] 2 but wait\n"));
  c.search = "absent";
  CHECK(printed(c).status == 1);
  CHECK(printed(c).text == "(nothing found)\n");
  c.search.clear();
  c.filter = TraceFilter{.verdict = Verdict::kRight};
  CHECK_THAT(printed(c).text, Catch::Contains("sample 7  rl step 2"));
}

TEST_CASE_METHOD(Fixture, "words are a table by step, a curve and a line each") {
  auto c = command();
  c.wants_words = true;
  const auto text = printed(c).text;
  CHECK_THAT(text, Catch::Contains("step  samples   wait    but    all  turns  to right\n"));
  CHECK_THAT(text, Catch::Contains("   0        3  0.667  0.333  1.000  0.333     0.333\n"));
  CHECK_THAT(text, Catch::Contains("all reflection words per sample\n"));
  CHECK_THAT(text, Catch::Contains("wait                0.667 "));
}

TEST_CASE_METHOD(Fixture, "a prompt's history is a line per group") {
  auto c = command();
  c.prompt = "p0";
  CHECK_THAT(printed(c).text, Catch::Contains("rl        2  train      3    1/3   0.433    21.0      1\n"));
}

TEST_CASE_METHOD(Fixture, "every view is JSON when asked, with the structs' fields") {
  auto c = command();
  c.wants_json = true;
  const auto overview = json::parse(printed(c).text, "overview");
  CHECK(overview.at("steps").as_array().size() == 3);
  CHECK(overview.at("runs").at(0).at("run_id").as_string() == "zero");
  c.step = 1;
  CHECK(json::parse(printed(c).text, "step").at("groups").at(0).at("sums").at("num_right").as_int64() == 1);
  c.group = "p0";
  CHECK(json::parse(printed(c).text, "group").at(0).at("samples").as_array().size() == 3);
  c.sample = 4;
  const auto sample = json::parse(printed(c).text, "sample");
  CHECK(sample.at("token_ids").as_array().size() == 20);
  CHECK(sample.at("prompt").at("answer").as_string() == "17");
  CHECK(sample.at("advantage").as_double() == 1.5);
}

TEST_CASE_METHOD(Fixture, "nothing that a model or a data set wrote reaches the terminal unescaped") {
  std::vector<TraceCommand> views(9, TraceCommand{.run = folder.path(), .stage = kHostile});
  views[1].step = 0;
  views[2].group = kHostile;
  views[3].sample = 10;
  views[3].wants_tokens = true;
  views[3].token_text = [](int32_t) { return std::string(kHostile); };
  views[4].prompt = kHostile;
  views[5].search = "script";
  views[6].wants_words = true;
  views[7].filter = TraceFilter{};
  views[8].stage = "";
  for (size_t i = 0; i < views.size(); ++i) {
    INFO("view " << i);
    views[i].width = 60;
    const auto text = printed(views[i]).text;
    CHECK(is_harmless(text));
    CHECK(text.size() > 20);
    auto as_json = views[i];
    as_json.wants_json = true;
    CHECK(valid_utf8(printed(as_json).text) == printed(as_json).text);
    CHECK_NOTHROW(json::parse(printed(as_json).text, "view"));
  }
}

TEST_CASE("an empty database says so") {
  Folder folder;
  { RolloutWriter writer(folder.file(), run_info()); }
  CHECK_THAT(printed({.run = folder.path()}).text, Catch::Contains("(no stage yet)"));
  CHECK_THROWS_WITH(printed({.run = folder.path(), .wants_words = true}), Catch::Contains("holds no stage yet"));
  CHECK_THROWS_WITH(printed({.run = folder.path() / "absent"}), Catch::Contains("there is no rollout database at"));
}

TEST_CASE("plot_style_of_environment follows the locale") {
  setenv("LC_ALL", "C", 1);
  CHECK(plot_style_of_environment() == PlotStyle::kAscii);
  setenv("LC_ALL", "en_US.UTF-8", 1);
  CHECK(plot_style_of_environment() == PlotStyle::kUnicode);
  setenv("LC_ALL", "", 1);
  setenv("LC_CTYPE", "C.utf8", 1);
  CHECK(plot_style_of_environment() == PlotStyle::kUnicode);
  unsetenv("LC_ALL");
  unsetenv("LC_CTYPE");
}
