// Golden: tests/fixtures/chat_templates/jinja_cases.json is what jinja2 3.1.6 printed.

#include "text/jinja.h"

#include "core/error.h"
#include "core/json.h"
#include "tests/support/catch.h"

using r1::Error;
using r1::text::jinja::Limits;
using r1::text::jinja::Template;
using r1::text::jinja::Value;

namespace {

Value value_of(const r1::json::bj::value& v) {
  if (v.is_null()) return {};
  if (v.is_bool()) return v.get_bool();
  if (v.is_int64()) return v.get_int64();
  if (v.is_double()) return v.get_double();
  if (v.is_string()) return std::string(v.get_string());
  if (v.is_array()) {
    std::vector<Value> items;
    for (const auto& item : v.get_array()) items.push_back(value_of(item));
    return Value::list(std::move(items));
  }
  std::vector<std::pair<std::string, Value>> items;
  for (const auto& item : v.as_object()) items.emplace_back(item.key(), value_of(item.value()));
  return Value::dict(std::move(items));
}

std::string render(std::string_view source, const std::map<std::string, Value>& variables = {}) {
  return Template(source, "t.jinja").render(variables);
}

// The error's text, or "rendered: ..." if there is none.
std::string error_of(std::string_view source, const Limits& limits = {}) {
  try {
    return "rendered: " + Template(source, "t.jinja").render({}, limits).substr(0, 100);
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace

TEST_CASE("templates render as jinja2 renders them and fail where it fails", "[golden]") {
  const auto golden = r1::json::parse_file(R1_FIXTURES "/chat_templates/jinja_cases.json").as_object();
  std::map<std::string, Value> variables;
  for (const auto& item : golden.at("variables").as_object()) variables[item.key()] = value_of(item.value());
  for (const auto& entry : golden.at("cases").as_array()) {
    const auto& c = entry.as_object();
    const std::string source(c.at("source").as_string());
    INFO(source);
    if (const auto* out = c.if_contains("out")) {
      CHECK(render(source, variables) == std::string(out->as_string()));
    } else {
      CHECK_THROWS_AS(render(source, variables), Error);
    }
  }
}

TEST_CASE("what jinja2 has and this lacks is refused by name when the template is read") {
  struct Case {
    const char* source;
    const char* named;
    const char* why;
  };
  const auto c = GENERATE(values<Case>({
      {"{% include 'x' %}", "tag 'include'", "other files"},
      {"{% extends 'x' %}", "tag 'extends'", "other files"},
      {"{% block x %}{% endblock %}", "tag 'block'", "inheritance"},
      {"{% raw %}{% endraw %}", "tag 'raw'", "rare"},
      {"{% with %}{% endwith %}", "tag 'with'", "rare"},
      {"{% call f() %}{% endcall %}", "tag 'call'", "rare"},
      {"{% filter upper %}{% endfilter %}", "tag 'filter'", "rare"},
      {"{% if false %}{{ 1 | pprint }}{% endif %}", "filter 'pprint'", "even where no rendering comes"},
      {"{% if false %}{{ 1 is sameas 2 }}{% endif %}", "test 'sameas'", "even where no rendering comes"},
      {"{% if false %}{{ cycler(1, 2) }}{% endif %}", "function 'cycler'", "even where no rendering comes"},
      {"{{ f(*args) }}", "unpacked arguments", "rare"},
      {"{% for x in y recursive %}{% endfor %}", "'recursive'", "rare"},
      {"{% set x | upper %}{% endset %}", "set block", "rare"},
  }));
  INFO(c.why);
  CHECK_THROWS_WITH(Template(c.source, "t.jinja"), Catch::Contains(c.named) && Catch::Contains("t.jinja:1"));
}

TEST_CASE("what only a rendering can tell is refused by name") {
  CHECK_THAT(error_of("{{ 'a %s' % 1 }}"), Catch::Contains("formatting with '%'"));
  CHECK_THAT(error_of("{{ 'abc'.encode() }}"), Catch::Contains("no method 'encode'"));
  CHECK_THAT(error_of("{{ [].append(1) }}"), Catch::Contains("no method 'append'"));
  CHECK_THAT(error_of("{{ {'a': 1}.items }}"), Catch::Contains("method 'items' is not called"));
  CHECK_THAT(error_of("{{ nosuch(1) }}"), Catch::Contains("function 'nosuch' is not defined"));
  CHECK_THAT(error_of("{{ {1: 2} }}"), Catch::Contains("dict key is int"));
}

TEST_CASE("an error names the template and the line") {
  CHECK_THAT(error_of("a\nb\n{{ missing.x }}\n"), Catch::StartsWith("t.jinja:3: 'missing' is undefined"));
  CHECK_THAT(error_of("a\n\n{{ raise_exception('only users here') }}"),
             Catch::StartsWith("t.jinja:3: only users here"));
  CHECK_THAT(error_of("a\n{{ 'x\n' }} {{ ]"), Catch::StartsWith("t.jinja:3: "));
  CHECK_THAT(error_of("\xff"), Catch::Contains("not UTF-8"));
}

TEST_CASE("a hostile template ends in an error and not in a hang, a crash or full memory") {
  const std::string deep(100'000, '(');
  std::string blocks, sums = "{{ 1", macros = "{{ a(0) }}", conditions = "{{ 1", negations = "{{ ";
  for (int i = 0; i < 5000; ++i) {
    blocks += "{% if 1 %}";
    sums += " + 1";
    conditions += " if 1 else 1";
    negations += "not ";
  }
  struct Case {
    std::string source;
    const char* why;
  };
  const std::vector<Case> cases = {
      {"{{ " + deep, "open brackets"},
      {"{{ [" + std::string(5000, '[') + std::string(5001, ']') + " }}", "nested lists"},
      {blocks, "nested blocks"},
      {sums + " }}", "a tree that leans left"},
      {conditions + " }}", "a tree that leans right"},
      {negations + "1 }}", "a tower of operators"},
      {"{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", "nested loops"},
      {"{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "doubling"},
      {"{{ 'x' * 10000000000 }}", "a long string at once"},
      {"{{ [0] * 10000000000 }}", "a long list at once"},
      {"{{ 'x' * 9223372036854775807 }}", "overflow of a size"},
      {"{{ 'aaaaaaaaaaaaaaaa' | replace('', 'x' * 100000000) }}", "a replacement that grows"},
      {"{% macro a(n) %}{{ a(n) }}{% endmacro %}{{ a(1) }}", "endless recursion"},
      {"{% macro a(n) %}{% for i in [1, 2] %}{{ a(n) }}{% endfor %}{% endmacro %}{{ a(1) }}", "branching recursion"},
      {"{% set ns = namespace(a=1) %}{% set ns.a = ns %}", "a namespace that holds itself"},
      {"{% set ns = namespace(a=1) %}{% set ns.a = [ns] %}", "a namespace in a list of its own"},
      {"{% set ns = namespace(a=[]) %}{% for i in range(1000) %}{% set ns.a = [ns.a] %}{% endfor %}", "a deep value"},
      {"{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}",
       "a value that prints to 2^60 items"},
      {"{% for i in range(1000) %}{% for j in range(1000) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' "
       "}}"
       "{% endfor %}{% endfor %}{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}",
       "much output"},
      {"{{ 9223372036854775807 + 1 }}", "digits beyond 64 bits"},
      {"{{ 999999999999999999 * 999999999999999999 }}", "integer overflow"},
      {"{{ 2 ** 999999999 }}", "a power"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    CHECK_THAT(error_of(c.source), !Catch::StartsWith("rendered"));
  }
}

TEST_CASE("strftime_now shows the time that the limits give") {
  const Template t("{{ strftime_now('%Y') }}|{{ strftime_now is defined }}", "t.jinja");
  CHECK(t.render({}, {.now = 1'000'000'000}) == "2001|True");
}

TEST_CASE("one template renders in many threads' worth of calls alike") {
  const Template t(
      "{% set ns = namespace(n=0) %}{% for i in range(50) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
      "t.jinja");
  CHECK(t.render({}) == "1225");
  CHECK(t.render({}) == "1225");  // nothing of the first rendering is left
}
