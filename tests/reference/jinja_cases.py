#!/usr/bin/env python3
"""Writes tests/fixtures/chat_templates/jinja_cases.json: templates and what jinja2 makes of them.

Made with jinja2 3.1.6 in the environment of transformers (ImmutableSandboxedEnvironment, trim_blocks, lstrip_blocks,
loopcontrols, its tojson). A case without "out" is one that jinja2 refuses or fails on.
Run: python tests/reference/jinja_cases.py
"""

import json
import pathlib

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


ENVIRONMENT = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
ENVIRONMENT.filters["tojson"] = tojson
ENVIRONMENT.globals["raise_exception"] = raise_exception

VARIABLES = {
    "s": "  Hello, w\u00f6rld \u4f60\u597d!\n",
    "name": "it's",
    "n": 7,
    "x": 2.5,
    "yes": True,
    "nothing": None,
    "empty": "",
    "words": ["b", "a", "C", "a"],
    "numbers": [3, 1, 2],
    "d": {"role": "user", "content": "hi", "n": 1, "inner": {"k": [1, {"z": None}]}},
    "messages": [
        {"role": "system", "content": " S "},
        {"role": "user", "content": "q1"},
        {"role": "assistant", "content": "<think>t</think>a1"},
        {"role": "user", "content": "q2"},
    ],
}

EXPRESSIONS = """
1 + 2 * 3 - 4 // 3 % 2
2 ** 3 ** 2
-7 // 2
-7 % 3
7 % -3
7 / 2
6 / 2
1.5 * 2
1e3
10_000
-n
- -n
+n
not yes
not nothing
yes and 'a' or 'b'
empty or 'fallback'
nothing and 1
1 < 2 < 3
1 < 3 < 2
1 == 1.0
true == 1
'a' < 'b'
[1, 2] < [1, 3]
[1, 2] == [1, 2]
(1, 2) == [1, 2]
{'a': 1} == {'a': 1}
nothing == none
missing == other
missing is defined
missing is undefined
not missing is defined
d is mapping
words is iterable
s is iterable
n is iterable
words is sequence
d is sequence
s is string
n is number
x is number
yes is number
n is integer
yes is integer
x is float
yes is boolean
nothing is none
nothing is not none
yes is true
yes is false
n is odd
n is even
n is divisibleby 7
n is divisibleby(2)
n is eq 7
n is ne(7)
n is gt 3
n is lessthan 3
'a' is in words
'a' in words
'z' not in words
'ell' in s
'role' in d
'user' in d
1 in missing
name is lower
'AB' is upper
'12' is upper
'a' ~ 1 ~ none ~ true ~ 1.0
'a' 'b' "c"
'a' + 'b' * 3
3 * 'ab'
[1] + [2, 3]
[0] * 3
(1, 2) + (3,)
words | join
words | join(', ')
words | join('-') | upper
messages | map(attribute='role') | join(',')
messages | map(attribute='missing', default='?') | join(',')
words | map('upper') | list
words | map('replace', 'a', 'x') | join
messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join('|')
messages | rejectattr('role', 'equalto', 'user') | list | length
messages | selectattr('content') | list | length
words | select('equalto', 'a') | list
words | reject('in', ['a', 'b']) | list
numbers | select('odd') | list
[0, 1, '', 'a', none] | select | list
words | sort
words | sort(case_sensitive=true)
words | sort(reverse=true)
numbers | sort | first
numbers | sort | last
messages | sort(attribute='role') | map(attribute='role') | list
words | unique | list
numbers | sum
messages | map(attribute='content') | map('length') | sum
numbers | max
numbers | min
[] | max
numbers | reverse | list
'abc' | reverse
'a\u00f6\u4f60' | length
'a\u00f6\u4f60' | reverse
'a\u00f6\u4f60'[1]
'a\u00f6\u4f60'[-1]
'a\u00f6\u4f60'[1:]
'abcdef'[::2]
'abcdef'[::-1]
'abcdef'[4:1:-1]
'abcdef'[-3:-1]
'abcdef'[10:]
'abcdef'[:-10]
numbers[1:]
numbers[:-1]
numbers[::-1]
numbers[5]
numbers[-1]
numbers.0
d.role
d['role']
d.missing
d.missing is defined
d['inner'].k[1].z
d.inner.k
d
d.items() | list
d.keys() | list
d.values() | list
d | items | list
d.get('role')
d.get('zz')
d.get('zz', 5)
d | length
d | list
{'b': 1, 'a': 2} | dictsort
{'b': 1, 'a': 2} | dictsort(by='value')
{'b': 1, 'a': 2} | dictsort(reverse=true)
{'b': 1, 'b': 2}
missing | default('x')
empty | default('x')
empty | default('x', true)
empty | d('x', boolean=true)
nothing | default('x')
missing | length
missing | join
missing
missing.a
missing['a']
missing + 'a'
missing ~ 'a'
d.missing.more
s | trim
s | trim | length
'xxhixx' | trim('x')
s.strip()
s.lstrip()
s.rstrip()
'xxhixx'.strip('x')
'\u3000a\u00a0'.strip() ~ '|'
s.split()
s.split(' ')
'a,b,,c'.split(',')
'a,b,c'.split(',', 1)
'a b  c'.split(none, 1)
'a,b,c'.rsplit(',', 1)
messages[2].content.split('</think>')[-1]
messages[2]['content'].split('</think>')[0].split('<think>')[-1]
'abc'.startswith('ab')
'abc'.startswith(('x', 'a'))
'abc'.endswith('bc')
'abc'.replace('b', 'XX')
'aaa'.replace('a', 'b', 2)
'abc' | replace('b', 'XX')
'abc'.replace('', '-')
'abc'.upper() ~ 'ABC'.lower() ~ 'abc'.capitalize() ~ 'hello wORLD'.title()
'stra\u00dfe' | lower
'abcabc'.find('c')
'abcabc'.rfind('c')
'abcabc'.find('z')
'abcabc'.count('bc')
'-'.join(words)
'a\\nb\\r\\nc'.splitlines()
'abc'.removeprefix('a')
'abc'.removesuffix('c')
'12'.isdigit()
''.isdigit()
'ab'.isalpha()
words.index('C')
words.count('a')
5 if yes else 6
5 if nothing else 6
5 if nothing
('a' if yes) ~ 'b'
range(3) | list
range(1, 4) | list
range(10, 0, -3) | list
range(0) | list
d | tojson
s | tojson
d | tojson(indent=2)
[] | tojson(indent=4)
{} | tojson(indent=4)
[1, [], {}] | tojson(indent=4)
{'a': [1, 2], 'b': {'c': true}} | tojson(indent=4)
{'b': 1, 'a': 2} | tojson(sort_keys=true)
{'b': 1, 'a': [1, 2]} | tojson(separators=(',', ':'))
'\u00f6\U0001f642\\"\\\\\\n\\t' | tojson
'\u00f6\U0001f642' | tojson(ensure_ascii=true)
[1.0, 2.5, 1e20, none, true] | tojson
n | string | length
'42' | int + 1
'x' | int
'x' | int(9)
'  12 ' | int
3.9 | int
'2.5' | float
-3 | abs
'a\\nb' | indent
'a\\nb' | indent(2, true)
'a\\n\\nb' | indent(2)
'a\\n\\nb' | indent(2, false, true)
'it\\'s'
"say \\"hi\\""
['it\\'s', "a\\"b", 'a\\nb']
'\\x41\\u00f6\\t|'
'\\q'
'a\\
b'
dict(a=1, b='x')
namespace(a=1).a
'%s' | string
words | first
words | last
[] | first
'abc' | first
'abc' | list
messages[0].content | trim ~ '|'
messages[1:][0].role
(messages | last).role
messages[-1]['role'] == 'user'
not (messages[0].role == 'user' or 'tool_calls' in messages[0])
1 and
1 +
(1, 2
[1, 2
foo(
1 2
'a' + 1
1 + 'a'
[1] + (2,)
'a' < 1
none < 1
1 // 0
1 % 0
1 / 0
n()
missing()
d.nope()
raise_exception('no')
words | nofilter
words is notest
n | join
range(1000000) | list
""".strip("\n").replace("a\\\nb", "a\\\x00b").split("\n")

TEMPLATES = [
    "plain",
    "plain\n",
    "plain\n\n",
    "",
    "\r\nline\r\nends\r",
    "a {# comment #} b",
    "a\n{# comment #}\nb",
    "  {# comment #}\nb",
    "a {#- comment -#}  \n b",
    "{{ 'a' }}\n{{ 'b' }}\n",
    "  {{ 'a' }}  \n",
    "a  {{- 'b' -}}  c",
    "a \n\n {{- 'b' -}} \n\n c",
    "{% if yes %}\n  in\n{% endif %}\nout",
    "  {% if yes %}\n  in\n  {% endif %}\n  out",
    "x  {% if yes %}\n  in\n  {% endif %}  \n  out",
    "  {%+ if yes %}\n  in\n{%+ endif %}\nout",
    "  {% if yes +%}\n  in\n  {% endif +%}\n  out",
    "a\n  {%- if yes -%}\n  in  \n  {%- endif -%}\n  out",
    "{% if yes %}{% endif %}\n\n\nend",
    "{% if yes -%}   \n\n x{%- endif %}\n\nend",
    "\t{% if yes %}\t\n\t{% endif %}\t\n",
    "{% for i in [1, 2] %}\n{{ i }}\n{% endfor %}\n",
    "{% for i in [1, 2] -%}\n{{ i }}\n{%- endfor %}\n",
    "{%- for i in [1, 2] %} {{ i }} {%- endfor %}\n",
    "{% for m in messages %}{{ loop.index }}/{{ loop.length }}:{{ m.role }}{% if not loop.last %},{% endif %}{% endfor %}",
    "{% for m in messages %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }} {% endfor %}",
    "{% for m in messages if m.role == 'user' %}{{ loop.index }}{{ m.content }}{{ loop.length }}{% else %}none{% endfor %}",
    "{% for m in [] %}x{% else %}none{% endfor %}",
    "{% for m in missing %}x{% else %}none{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k in d %}{{ k }};{% endfor %}",
    "{% for c in 'a\u00f6\u4f60' %}[{{ c }}]{% endfor %}",
    "{% for i in range(3) %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }} {% endfor %}",
    "{% for i in range(4) %}{{ loop.cycle('a', 'b', 'c') }}{% endfor %}",
    "{% for i in range(2) %}{% for j in range(2) %}{{ loop.depth }}{{ loop.index }}{% endfor %}{{ loop.depth0 }}{% endfor %}",
    "{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% for i in n %}{% endfor %}",
    "{% for a, b in [[1, 2], [3, 4]] %}{{ a }}{{ b }}{% endfor %}",
    "{% for (a, b) in [[1, 2]] %}{{ a }}{{ b }}{% endfor %}",
    "{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}",
    "{% set a = 1 %}{% for i in [1, 2] %}{{ a }}{% set a = 5 %}{{ a }}{% endfor %}{{ a }}",
    "{% set a = 1 %}{% if yes %}{% set a = 2 %}{% endif %}{{ a }}",
    "{% set ns = namespace(a=1, b='x') %}{% for i in [1, 2] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c }}",
    "{% set n.a = 1 %}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a = 1, 2 %}{{ a }}",
    "{% set a %}  block {{ n }}\n{% endset %}[{{ a }}]",
    "{% if nothing %}a{% elif n == 7 %}b{% else %}c{% endif %}",
    "{% if nothing %}a{% elif nothing %}b{% elif nothing %}d{% else %}c{% endif %}",
    "{% if nothing %}a{% elif nothing %}b{% endif %}",
    "{% macro f(a, b='x') %}({{ a }}{{ b }}){% endmacro %}{{ f(1) }}{{ f(1, 2) }}{{ f(b=3, a=4) }}{{ f() }}",
    "{% macro f(a) %}{{ a }}{{ n }}{% endmacro %}{% set n = 9 %}{{ f(1) ~ 'z' }}",
    "{% macro f(a) %}{% if a > 0 %}{{ a }}{{ f(a - 1) }}{% endif %}{% endmacro %}{{ f(3) }}",
    "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}",
    "{% macro f(a) %}{% endmacro %}{{ f(z=2) }}",
    "{{ {'a': {'b': 1}}['a']['b'] }}",
    "{{ {'a': {}} }}",
    "{{ '}}' }}{{ '%}' }}{{ \"{{\" }}",
    "{ { } } % # {x}",
    "{{- 'a' }}  {{ 'b' -}}  ",
    "  {{- n -}}  {% if yes -%} z {%- endif %} ",
    "a\u3000\n {%- if yes %}b{% endif %}",
    "{{ 1, 2 }}",
    "{{ () }}{{ (1,) }}",
    "{% if 'x' is string and n is defined %}ok{% endif %}",
    "{% if yes is true and nothing is none or missing is defined %}ok{% endif %}",
    "{{ 'a' if n is defined else 'b' }}",
    "{{ messages | length - 1 }}",
    "{% if messages | length != 0 %}x{% endif %}",
    "{% if messages[0]['role'] == 'system' %}{% set sys = messages[0]['content'] | trim %}{% set messages = messages[1:] %}{% endif %}{{ sys }}{{ messages | length }}",
    "{% if",
    "{{ 1",
    "{% endif %}",
    "{% if yes %}",
    "{% for %}{% endfor %}",
    "{% nosuchtag %}",
    "{# open",
    "{{ 'open }}",
    "{{ a b }}",
    "{{ ) }}",
    "{{ [1) }}",
    "{{ }}",
    "{% set %}",
    "{% break %}",
    "{{ f(a=1, 2) }}",
    "{{ ! }}",
]


def main():
    cases = []
    for source in ["{{ " + e.replace("\x00", "\n") + " }}" for e in EXPRESSIONS] + TEMPLATES:
        case = {"source": source}
        try:
            case["out"] = ENVIRONMENT.from_string(source).render(**VARIABLES)
        except Exception as error:  # noqa: BLE001: every failure is one
            case["error"] = type(error).__name__
        cases.append(case)
    target = pathlib.Path(__file__).parent.parent / "fixtures" / "chat_templates" / "jinja_cases.json"
    made_with = f"jinja2 {jinja2.__version__}, tests/reference/jinja_cases.py"
    target.write_text(json.dumps({"made_with": made_with, "variables": VARIABLES, "cases": cases}, indent=1) + "\n")
    print(len(cases), "cases,", sum("error" in c for c in cases), "of them errors")


main()
