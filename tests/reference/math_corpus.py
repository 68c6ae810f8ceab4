#!/usr/bin/env python3
"""Makes tests/fixtures/math/generated.jsonl: pairs of answer key and answer with the verdict that is right by construction.

usage: math_corpus.py > tests/fixtures/math/generated.jsonl
Each kind writes one value in several ways (equal), and others near it (different). Seeded; no mathematics library."""
import json
import random
from fractions import Fraction as F
from math import comb, factorial, gcd

rng = random.Random(20261124)
rows = []
seen = set()


def row(kind, gold, answer, label):
    if (gold, answer) in seen:
        return
    seen.add((gold, answer))
    rows.append({"kind": kind, "gold": gold, "answer": answer, "label": label})


def pairs(kind, ways, others, n_equal=3, n_different=2):
    """Ways of writing one value, and of writing others."""
    for _ in range(n_equal):
        a, b = rng.choice(ways), rng.choice(ways)
        row(kind, a, b, "equal")
    for _ in range(n_different):
        row(kind, rng.choice(ways), rng.choice(others), "different")


def commas(n):
    return f"{n:,}"


def tex_frac(f, cmd="frac"):
    sign = "-" if f < 0 else ""
    return f"{sign}\\{cmd}{{{abs(f.numerator)}}}{{{f.denominator}}}"


def integers():
    for _ in range(30):
        n = rng.randrange(1000, 10**7)
        ways = [str(n), commas(n), commas(n).replace(",", "{,}"), commas(n).replace(",", "\\,"), commas(n).replace(",", " "),
                f"{n}.0", f"\\text{{{n}}}", f"\\boxed{{{n}}}", f"+{n}", f"{n}.", f"({n})", f"${n}$"]
        pairs("integer", ways, [str(n + 1), str(-n), str(n * 10), commas(n + 100), f"{n}.5", str(n)[::-1] + "7"])


def decimals():
    for _ in range(30):
        n, k = rng.randrange(1, 10**5), rng.randrange(1, 4)
        if n % 10 == 0:
            n += 1
        f = F(n, 10**k)
        text = f"{n // 10**k}.{n % 10**k:0{k}d}"
        ways = [text, text + "0", tex_frac(f), f"{f.numerator}/{f.denominator}", f"{n}\\times10^{{-{k}}}", f"{n}e-{k}", f"\\dfrac{{{n}}}{{{10**k}}}"]
        if text.startswith("0"):
            ways.append(text[1:])
        pairs("decimal", ways, [f"{n + 1}e-{k}", f"{n}e-{k + 1}", f"-{text}", text + "1", f"{n}/{10**(k + 1)}"])


def fractions():
    for _ in range(45):
        f = F(rng.randrange(1, 60) * rng.choice([1, -1]), rng.randrange(2, 40))
        m = rng.randrange(2, 7)
        s = "-" if f < 0 else ""
        a, b = abs(f.numerator), f.denominator
        ways = [f"{s}{a}/{b}", f"{s}\\frac{{{a}}}{{{b}}}", f"\\frac{{{s}{a}}}{{{b}}}", f"{s}{a * m}/{b * m}", f"{s}\\tfrac{{{a * m}}}{{{b * m}}}",
                f"{s}({a})/({b})", f"{s}{a}\\div {b}", f"{s}{a}\u00f7{b}", f"{s}\\left(\\frac{{{a}}}{{{b}}}\\right)"]
        pairs("fraction", ways, [f"{s}{b}/{a}" if a != b else "7", f"{s}{a + 1}/{b}", f"{s}{a}/{b + 1}", f"{a}/{b}" if s else f"-{a}/{b}",
                                 f"{s}{round(a / b, 4)}" if F(str(round(a / b, 4))) != F(a, b) else "0.12345"])


def mixed():
    for _ in range(25):
        w, b = rng.randrange(1, 12), rng.randrange(2, 12)
        a = rng.randrange(1, b)
        f = w + F(a, b)
        ways = [f"{w}\\frac{{{a}}}{{{b}}}", f"{w} {a}/{b}", f"{w * b + a}/{b}", f"\\frac{{{w * b + a}}}{{{b}}}", f"{w}+\\frac{{{a}}}{{{b}}}", f"{w}\\dfrac{a}{b}" if a < 10 and b < 10 else f"{w} {a}/{b}"]
        others = [f"{w}\\cdot\\frac{{{a}}}{{{b}}}", f"{w + 1}\\frac{{{a}}}{{{b}}}", f"{w}{a}/{b}", f"{w}"]
        others = [o for o in others if not (o.startswith(f"{w}\\cdot") and F(w * a, b) == f) and not (o == f"{w}{a}/{b}" and F(int(f"{w}{a}"), b) == f)]
        pairs("mixed", ways, others)


def percents():
    for _ in range(25):
        n = rng.randrange(1, 99)
        ways = [f"{n}\\%", f"{n}%", f"{n} percent", f"{n}.0\\%", f"{n}\\text{{ percent}}"]
        pairs("percent", ways, [f"{n + 1}%", f"{n * 10}\\%", f"{n + 1}"], 2, 2)
        row("percent", f"{n}\\%", str(n), "equal")
        row("percent", f"{n}\\%", f"{n}/100", "equal")
        row("percent", f"{n}/100", f"{n}\\%", "equal")


def units():
    words = [("cm", "centimeters", "\\text{ cm}"), ("m", "meters", "\\text{ m}"), ("kg", "kilograms", "\\mathrm{kg}"), ("hours", "h", "\\text{ hours}"),
             ("km/h", "km per hour", "\\text{ km/h}"), ("cm^2", "square centimeters", "\\text{ cm}^2"), ("m^3", "cubic meters", "\\text{ m}^3")]
    for _ in range(40):
        n = rng.randrange(2, 400)
        short, long, tex = rng.choice(words)
        ways = [f"{n} {long}", f"{n}{tex}", f"{n} \\text{{ {short} }}" if "^" not in short else f"{n}{tex}"]
        pairs("unit", ways, [f"{n + 1} {long}", f"{n}\\text{{ seconds}}", f"{n * 10}{tex}"], 2, 1)
        row("unit", f"{n}{tex}", str(n), "equal")
        row("unit", str(n), f"{n}{tex}", "equal")
        row("unit", str(n), f"{n + 3}{tex}", "different")
    for n in range(2, 12):
        row("unit", f"{n}\\text{{ m}}", f"{100 * n}\\text{{ cm}}", "equal")
        row("unit", f"{n} hours", f"{60 * n} minutes", "equal")
        row("unit", f"{n}\\text{{ kg}}", f"{n}\\text{{ g}}", "different")
        row("unit", f"{n}\\text{{ km}}", f"{n}\\text{{ miles}}", "different")


def currency():
    for _ in range(20):
        n, c = rng.randrange(1, 5000), rng.randrange(0, 100)
        text = f"{commas(n)}.{c:02d}"
        ways = [f"\\${text}", f"${n}.{c:02d}", f"{n}.{c:02d}\\text{{ dollars}}", f"{n}.{c:02d} dollars", f"\\${n}.{c:02d}"]
        pairs("currency", ways, [f"\\${n + 1}.{c:02d}", f"{n}.{c:02d}\\text{{ euros}}" if False else f"\\${n}.{(c + 1) % 100:02d}"], 2, 1)
    for n in range(2, 10):
        row("currency", f"{n} dollars", f"{100 * n} cents", "equal")
        row("currency", f"{n}\\text{{ dollars}}", f"{n}\\text{{ euros}}", "different")


def scientific():
    for _ in range(25):
        m, e = rng.randrange(11, 99), rng.randrange(2, 12)
        mm = f"{m / 10}"
        ways = [f"{mm}\\times 10^{{{e}}}", f"{mm}e{e}", f"{mm} \u00d7 10^{e}", f"{m}\\cdot 10^{{{e - 1}}}", f"{mm}E+{e}", commas(m * 10**(e - 1))]
        pairs("scientific", ways, [f"{mm}\\times 10^{{{e + 1}}}", f"{mm}\\times 10^{{-{e}}}", f"{(m + 1) / 10}e{e}"])


def radicals():
    for _ in range(40):
        a, b = rng.randrange(2, 9), rng.choice([2, 3, 5, 6, 7, 10, 11, 13])
        ways = [f"{a}\\sqrt{{{b}}}", f"\\sqrt{{{a * a * b}}}", f"{a}\\sqrt {b}", f"{a}*sqrt({b})", f"{a}\u221a{b}", f"\\frac{{{a * b}}}{{\\sqrt{{{b}}}}}", f"{a}\\cdot {b}^{{1/2}}"]
        pairs("radical", ways, [f"{a + 1}\\sqrt{{{b}}}", f"\\sqrt{{{a * b}}}", str(a), f"-{a}\\sqrt{{{b}}}", f"{a}+\\sqrt{{{b}}}"])
    for _ in range(20):
        a, b = rng.randrange(1, 8), rng.choice([2, 3, 5, 7])
        if a * a <= b:
            a += 3
        row("radical", f"\\sqrt{{{a * a + b}+{2 * a}\\sqrt{{{b}}}}}", f"{a}+\\sqrt{{{b}}}", "equal")
        row("radical", f"\\sqrt{{{a * a + b}+{2 * a}\\sqrt{{{b}}}}}", f"{a}-\\sqrt{{{b}}}", "different")
        row("radical", f"\\frac{{1}}{{{a}+\\sqrt{{{b}}}}}", f"\\frac{{{a}-\\sqrt{{{b}}}}}{{{a * a - b}}}", "equal")
        row("radical", f"\\sqrt[3]{{{a**3 * b}}}", f"{a}\\sqrt[3]{{{b}}}", "equal")
        row("radical", f"\\sqrt[3]{{{a**3 * b}}}", f"{a}\\sqrt{{{b}}}", "different")


def powers():
    for _ in range(30):
        b, e = rng.randrange(2, 8), rng.randrange(3, 60)
        ways = [f"{b}^{{{e}}}", f"{b}^{e}", f"{b}\\cdot {b}^{{{e - 1}}}", f"{b}**{e}", f"\\frac{{{b}^{{{e + 2}}}}}{{{b * b}}}", str(b**e)]
        pairs("power", ways, [f"{b}^{{{e + 1}}}", f"{b}^{{-{e}}}", str(b**e + 1), f"{e}^{{{b}}}" if e**b != b**e else "3"])
    for e in (99, 1000, 2024, 5000):
        row("power", f"\\frac{{1}}{{2^{{{e}}}}}", f"2^{{-{e}}}", "equal")
        row("power", f"\\frac{{1}}{{2^{{{e}}}}}", f"\\frac{{1}}{{2^{{{e - 1}}}}}", "different")
        row("power", f"2^{{{e}}}-1", f"2^{{{e}}}+1", "different")
        row("power", f"4^{{{e}}}", f"2^{{{2 * e}}}", "equal")


def factorials():
    for n in range(3, 13):
        row("factorial", f"{n}!", str(factorial(n)), "equal")
        row("factorial", f"{n}!", f"{n}\\cdot {n - 1}!", "equal")
        row("factorial", f"{n}!", str(factorial(n) + 1), "different")
        k = rng.randrange(1, n)
        row("binomial", f"\\binom{{{n}}}{{{k}}}", str(comb(n, k)), "equal")
        row("binomial", f"\\binom{{{n}}}{{{k}}}", f"\\frac{{{n}!}}{{{k}!{n - k}!}}", "equal")
        row("binomial", f"\\dbinom{{{n}}}{{{k}}}", str(comb(n, k) + 1), "different")
    for n in (100, 2004):
        row("factorial", f"\\frac{{1}}{{{n}!}}", f"\\frac{{1}}{{{n + 2}!}}", "different")
        row("factorial", f"\\frac{{{n}!}}{{{n - 2}!}}", f"{n}\\cdot {n - 1}", "equal")


def logarithms():
    for _ in range(25):
        b, k, c = rng.choice([2, 3, 5, 7]), rng.randrange(2, 6), rng.choice([2, 3, 5, 6, 7])
        ways = [f"\\log_{{{b}}}{{{b**k}}}", str(k), f"\\frac{{\\ln {b**k}}}{{\\ln {b}}}", f"\\log_{b}({b**k})"]
        pairs("logarithm", ways, [str(k + 1), f"\\log_{{{b}}}{{{b**k + 1}}}"])
        row("logarithm", f"{k}\\ln {c}", f"\\ln {c**k}", "equal")
        row("logarithm", f"\\ln {c * b}", f"\\ln {c}+\\ln {b}", "equal")
        row("logarithm", f"\\ln {c * b}", f"\\ln {c}\\cdot\\ln {b}", "different")
        row("logarithm", f"\\ln {c + 1}", f"\\log_{{10}} {c + 1}", "different")


def trigonometry():
    table = [("\\sin 30^\\circ", "1/2"), ("\\cos\\frac{\\pi}{4}", "\\frac{\\sqrt2}{2}"), ("\\tan 60^\\circ", "\\sqrt{3}"), ("\\sin\\frac{\\pi}{12}", "\\frac{\\sqrt6-\\sqrt2}{4}"),
             ("\\cos 36^\\circ", "\\frac{1+\\sqrt{5}}{4}"), ("\\sin 18^\\circ", "\\frac{\\sqrt5-1}{4}"), ("\\cos\\frac{2\\pi}{3}", "-\\frac12"), ("\\arctan 1", "\\frac{\\pi}{4}"),
             ("\\arcsin\\frac12", "\\frac{\\pi}{6}"), ("\\arccos 0", "90^\\circ"), ("\\sec 60^\\circ", "2"), ("\\cot 45^\\circ", "1"), ("\\sin^2 20^\\circ+\\cos^2 20^\\circ", "1"),
             ("\\tan 15^\\circ", "2-\\sqrt3"), ("\\cos 72^\\circ\\cos 36^\\circ", "\\frac14"), ("\\arctan\\sqrt3", "\\pi/3")]
    for a, b in table:
        row("trigonometry", a, b, "equal")
        row("trigonometry", b, a, "equal")
        row("trigonometry", a, f"-({b})" if b != "0" else "1", "different")
        row("trigonometry", a, f"{b}+\\frac{{1}}{{1000}}" if "circ" not in b else "91^\\circ", "different")
    identities = [("\\sin 2x", "2\\sin x\\cos x"), ("\\tan^2 y+1", "\\sec^2 y"), ("\\cos 2x", "1-2\\sin^2 x"), ("\\cos 2x", "2\\cos^2 x-1"), ("\\sin(a+b)-\\sin(a-b)", "2\\sin b\\cos a"),
                  ("\\sin 3x", "3\\sin x-4\\sin^3 x"), ("\\frac{\\sin x}{\\cos x}", "\\tan x"), ("\\cosh^2 x-\\sinh^2 x", "1"), ("\\sin^4 x-\\cos^4 x", "-\\cos 2x"),
                  ("\\frac{1-\\cos x}{\\sin x}", "\\tan\\frac{x}{2}")]
    for a, b in identities:
        row("trigonometry", a, b, "equal")
        row("trigonometry", a, f"{b}+1", "different")
        row("trigonometry", a, f"2({b})", "different")


def constants():
    for _ in range(20):
        a, b = rng.randrange(2, 20), rng.randrange(2, 12)
        ways = [f"\\frac{{{a}\\pi}}{{{b}}}", f"{a}\\pi/{b}", f"\\frac{{{a}}}{{{b}}}\\pi", f"{a}/{b} pi", f"{a}*pi/{b}", f"{a}\u03c0/{b}"]
        pairs("constant", ways, [f"\\frac{{{a + 1}\\pi}}{{{b}}}", f"{a}/{b}", f"{a}\\cdot 3.14/{b}", f"\\frac{{{a}e}}{{{b}}}"])
        row("constant", f"{a}-\\frac{{1}}{{e}}", f"{a}-e^{{-1}}", "equal")
        row("constant", f"{a}-\\frac{{1}}{{\\mathrm{{e}}}}", f"{a}+\\frac{{1}}{{\\mathrm{{e}}}}", "different")
        row("constant", f"e^{{{a}}}", f"\\exp({a})", "equal")


def complex_numbers():
    for _ in range(30):
        a, b = rng.randrange(1, 12), rng.randrange(1, 12)
        ways = [f"{a}+{b}i", f"{b}i+{a}", f"{a} + {b} i", f"{a}+i{b}", f"{a}-(-{b}i)", f"({a}+{b}i)"]
        pairs("complex", ways, [f"{a}-{b}i", f"-{a}+{b}i", f"{b}+{a}i" if a != b else "1", f"{a + b}", f"{a}+{b}"])
        row("complex", f"({a}+{b}i)({a}-{b}i)", str(a * a + b * b), "equal")
        row("complex", f"\\frac{{1}}{{{a}+{b}i}}", f"\\frac{{{a}-{b}i}}{{{a * a + b * b}}}", "equal")
        row("complex", f"|{a}+{b}i|", f"\\sqrt{{{a * a + b * b}}}", "equal")
    row("complex", "e^{i\\pi}", "-1", "equal")
    row("complex", "\\frac{1+i\\sqrt3}{2}", "e^{i\\pi/3}", "equal")
    row("complex", "i^{2025}", "i", "equal")
    row("complex", "i^{2025}", "-i", "different")
    row("complex", "\\sqrt{-4}", "2i", "equal")


def intervals():
    for _ in range(35):
        a = rng.randrange(-9, 9)
        b = a + rng.randrange(1, 9)
        l, r = rng.choice("(["), rng.choice(")]")
        lo, hi = ("<" if l == "(" else "\\le"), ("<" if r == ")" else "\\le")
        plo, phi = ("<" if l == "(" else "<="), ("<" if r == ")" else "<=")
        ways = [f"{l}{a},{b}{r}", f"\\left{l}{a}, {b}\\right{r}", f"{a}{lo} x{hi} {b}", f"x\\in {l}{a},{b}{r}", f"{a}{plo}x{phi}{b}", f"{l}{2 * a}/2, {b}.0{r}"]
        other_l = "[" if l == "(" else "("
        others = [f"{other_l}{a},{b}{r}", f"{l}{a},{b + 1}{r}", f"{l}{a - 1},{b}{r}", f"x>{a}", f"{a}{lo} x"]
        if (l, r) == ("(", ")"):
            others = [f"[{a},{b}]", f"({a},{b + 1})", f"x>{a}"]
        pairs("interval", ways, others)
        row("interval", f"(-\\infty,{a})\\cup({b},\\infty)", f"x<{a} or x>{b}", "equal")
        row("interval", f"(-\\infty,{a})\\cup({b},\\infty)", f"({b},+\\infty)\\cup(-\\infty,{a})", "equal")
        row("interval", f"(-\\infty,{a}]\\cup[{b},\\infty)", f"(-\\infty,{a})\\cup({b},\\infty)", "different")
        row("interval", f"\\mathbb{{R}}\\setminus\\{{{a}\\}}", f"(-\\infty,{a})\\cup({a},\\infty)", "equal")
        row("interval", f"[{a},{b}]\\cup[{b},{b + 2}]", f"[{a},{b + 2}]", "equal")


def sets():
    for _ in range(35):
        items = rng.sample(range(-20, 40), rng.randrange(2, 6))
        mixed = items[:]
        rng.shuffle(mixed)
        texts, mtexts = list(map(str, items)), list(map(str, mixed))
        ways = ["\\{" + ", ".join(texts) + "\\}", ", ".join(mtexts), "\\{" + ",".join(mtexts) + "\\}", " and ".join(texts), "{" + ", ".join(mtexts) + "}", "; ".join(texts)]
        others = ["\\{" + ", ".join(texts[:-1]) + "\\}", "\\{" + ", ".join(texts + ["99"]) + "\\}", ", ".join(texts[:-1] + ["77"])]
        pairs("set", ways, others)
    for a, b in [(1, 19), (3, 2), (0, 5), (7, 3)]:
        row("plus-minus", f"{a}\\pm\\sqrt{{{b}}}", f"{a}+\\sqrt{{{b}}}, {a}-\\sqrt{{{b}}}", "equal")
        row("plus-minus", f"{a}\\pm\\sqrt{{{b}}}", f"\\{{{a}-\\sqrt{{{b}}},{a}+\\sqrt{{{b}}}\\}}", "equal")
        row("plus-minus", f"{a}\\pm\\sqrt{{{b}}}", f"{a}+\\sqrt{{{b}}}", "different")
        row("plus-minus", f"{a}\\mp\\sqrt{{{b}}}", f"{a}\\pm\\sqrt{{{b}}}", "equal")
        row("plus-minus", f"x=\\pm {b}", f"x={b} or x=-{b}", "equal")
        row("plus-minus", f"\\pm {b}", f"{b}", "different")


def tuples():
    for _ in range(35):
        items = [rng.randrange(-9, 10) for _ in range(rng.randrange(2, 5))]
        if items == items[::-1]:
            items[0] += 1
        ways = ["(" + ",".join(map(str, items)) + ")", "\\left(" + ", ".join(map(str, items)) + "\\right)", "(" + ", ".join(f"{3 * i}/3" for i in items) + ")", "( " + " , ".join(map(str, items)) + " )"]
        others = ["(" + ",".join(map(str, items[::-1])) + ")", "(" + ",".join(map(str, items + [1])) + ")", "(" + ",".join(map(str, [items[0] + 1] + items[1:])) + ")"]
        pairs("tuple", ways, others)
    row("tuple", "(p,q)=(3,2)", "(3,2)", "equal")
    row("tuple", "(1,2),(3,4)", "(3,4),(1,2)", "equal")
    row("tuple", "(1,2),(3,4)", "(1,2),(4,3)", "different")


def matrices():
    for _ in range(30):
        m, n = rng.randrange(1, 4), rng.randrange(1, 4)
        cells = [[rng.randrange(-9, 10) for _ in range(n)] for _ in range(m)]

        def write(cells, env, f=str):
            return f"\\begin{{{env}}}" + "\\\\".join("&".join(map(f, r)) for r in cells) + f"\\end{{{env}}}"

        ways = [write(cells, "pmatrix"), write(cells, "bmatrix"), "\\left[\\begin{array}{" + "c" * n + "}" + " \\\\ ".join(" & ".join(map(str, r)) for r in cells) + "\\end{array}\\right]",
                write(cells, "pmatrix", lambda v: f"\\frac{{{2 * v}}}{{2}}")]
        changed = [r[:] for r in cells]
        changed[rng.randrange(m)][rng.randrange(n)] += 1
        others = [write(changed, "pmatrix"), write(cells + [[0] * n], "pmatrix")]
        pairs("matrix", ways, others)
    row("matrix", "\\begin{pmatrix}6&8\\\\10&12\\end{pmatrix}", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}+\\begin{pmatrix}5&6\\\\7&8\\end{pmatrix}", "equal")
    row("matrix", "\\begin{pmatrix}7&10\\\\15&22\\end{pmatrix}", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}^2", "equal")
    row("vector", "\\begin{pmatrix}1\\\\2\\\\3\\end{pmatrix}", "\\langle 1,2,3\\rangle", "equal")
    row("vector", "\\begin{pmatrix}1\\\\2\\\\3\\end{pmatrix}", "(1,2,3)", "equal")
    row("vector", "\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1&2\\end{pmatrix}", "different")


def poly(c, var="x"):
    text = ""
    for k in range(len(c) - 1, -1, -1):
        if c[k] == 0:
            continue
        size = "" if abs(c[k]) == 1 and k > 0 else str(abs(c[k]))
        text += ("-" if c[k] < 0 else "+" if text else "") + size + ("" if k == 0 else var if k == 1 else f"{var}^{k}" if k < 10 else f"{var}^{{{k}}}")
    return text or "0"


def times(p, q):
    out = [0] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            out[i + j] += a * b
    return out


def expressions():
    for _ in range(50):
        p, q = [rng.randrange(-6, 7) for _ in range(2)] + [rng.choice([1, 2, 3])], [rng.choice([-4, -3, -1, 1, 2, 5]), rng.choice([1, 2])]
        product = times(p, q)
        bumped = product[:]
        bumped[rng.randrange(len(bumped))] += rng.choice([1, -1])
        row("polynomial", poly(product), f"({poly(p)})({poly(q)})", "equal")
        row("polynomial", f"\\left({poly(q)}\\right)\\left({poly(p)}\\right)", poly(product), "equal")
        row("polynomial", poly(product), poly(bumped), "different")
        row("rational function", f"\\frac{{{poly(product)}}}{{{poly(q)}}}", poly(p), "equal")
        row("rational function", f"\\frac{{1}}{{{poly(q)}}}+1", f"\\frac{{{poly([q[0] + 1, q[1]])}}}{{{poly(q)}}}", "equal")
        row("rational function", f"\\frac{{1}}{{{poly(q)}}}", f"\\frac{{1}}{{{poly([q[0] + 1, q[1]])}}}", "different")


def equations():
    for _ in range(40):
        a, b, c = rng.choice([2, 3, 5, -2]), rng.choice([3, 4, -1, 7]), rng.randrange(1, 15)
        k = rng.choice([2, 3, -1, -2])

        def line(a, b, c):
            return f"{poly([0, a])}{'+' if b > 0 else '-'}{'' if abs(b) == 1 else abs(b)}y={c}"

        row("equation", line(a, b, c), line(a * k, b * k, c * k), "equal")
        row("equation", line(a, b, c), f"y=\\frac{{{c}-{'' if a > 0 else '('}{a}x{'' if a > 0 else ')'}}}{{{b}}}", "equal")
        row("equation", line(a, b, c), line(a, b, c + 1), "different")
        row("equation", line(a, b, c), line(a, -b, c), "different")
        row("equation", f"x^2+y^2={c}", f"x^2+y^2-{c}=0", "equal")
        row("equation", f"x^2+y^2={c}", f"x^2+y^2={c + 2}", "different")
        row("equation", f"x={c}", str(c), "equal")
        row("equation", str(c), f"x={c}", "equal")
        row("equation", f"x={c}", f"y={c}", "different")
        row("equation", f"y={a}x+{c}", f"{a}x+{c}", "equal")
    row("equation", "\\frac{x^2}{4}+\\frac{y^2}{3}=1", "\\frac{x^2}{16}+\\frac{y^2}{12}=\\frac14", "equal")
    row("equation", "3x-y+13=0", "3x+4y+14=0", "different")
    row("equation", "x^2=4", "x=\\pm2", "equal")


def inequalities():
    for _ in range(30):
        a, c = rng.choice([2, 3, 5]), rng.randrange(-9, 10)
        row("inequality", f"x>{c}", f"{c}<x", "equal")
        row("inequality", f"x\\ge {c}", f"{c}\\leq x", "equal")
        row("inequality", f"x>{c}", f"({c},\\infty)", "equal")
        row("inequality", f"x\\le{c}", f"(-\\infty,{c}]", "equal")
        row("inequality", f"x>{c}", f"x\\geq {c}", "different")
        row("inequality", f"x>{c}", f"x<{c}", "different")
        row("inequality", f"{a}x<{a * c}", f"x<{c}", "equal")
        row("inequality", f"-{a}x<{-a * c}", f"x>{c}", "equal")
        row("inequality", f"|x|<{abs(c) + 1}", f"-{abs(c) + 1}<x<{abs(c) + 1}", "equal")
        row("inequality", f"(x-{a})(x+{a})>0", f"x<-{a} or x>{a}", "equal")
        row("inequality", f"x\\ne {c}", f"x\\neq{c}", "equal")
        row("inequality", f"x+y<{c}", f"2x+2y<{2 * c}", "equal")
        row("inequality", f"x+y<{c}", f"x+y>{c}", "different")


def calculus():
    for p in range(1, 6):
        row("integral", f"\\int_0^1 x^{p}\\,dx", f"\\frac{{1}}{{{p + 1}}}", "equal")
        row("integral", f"\\int_0^1 x^{p} dx", f"\\frac{{1}}{{{p + 2}}}", "different")
        row("integral", f"\\int_1^{{e}} \\frac{{{p}}}{{x}}\\,dx", str(p), "equal")
        row("sum", f"\\sum_{{k=1}}^{{{p + 5}}} k", str((p + 5) * (p + 6) // 2), "equal")
        row("sum", f"\\sum_{{k=1}}^{{{p + 5}}} k^2", str(sum(k * k for k in range(1, p + 6))), "equal")
        row("sum", f"\\sum_{{k=1}}^{{{p + 5}}} k^2", str(sum(k * k for k in range(1, p + 7))), "different")
        row("sum", f"\\sum_{{k=0}}^{{\\infty}} \\frac{{1}}{{{p + 1}^k}}", f"\\frac{{{p + 1}}}{{{p}}}", "equal")
        row("product", f"\\prod_{{k=1}}^{{{p + 2}}} k", str(factorial(p + 2)), "equal")
        row("limit", f"\\lim_{{x\\to {p}}}\\frac{{x^2-{p * p}}}{{x-{p}}}", str(2 * p), "equal")
        row("limit", f"\\lim_{{x\\to {p}}}\\frac{{x^2-{p * p}}}{{x-{p}}}", str(2 * p + 1), "different")
        row("limit", f"\\lim_{{n\\to\\infty}}\\frac{{{p}n+1}}{{2n-3}}", f"\\frac{{{p}}}{{2}}", "equal")
    row("sum", "\\sum_{k=1}^{n} k", "\\frac{n(n+1)}{2}", "equal")
    row("sum", "\\sum_{k=1}^{n} k^2", "\\frac{n(n+1)(2n+1)}{6}", "equal")
    row("sum", "\\sum_{k=0}^{n} 2^k", "2^{n+1}-1", "equal")
    row("sum", "\\sum_{k=0}^{n} 2^k", "2^{n}-1", "different")
    row("sum", "\\sum_{k=1}^{\\infty}\\frac{1}{k^2}", "\\frac{\\pi^2}{6}", "equal")
    row("sum", "\\sum_{k=1}^{\\infty}\\frac{1}{k^2}", "\\frac{\\pi^2}{8}", "different")
    row("limit", "\\lim_{x\\to0}\\frac{\\sin x}{x}", "1", "equal")
    row("limit", "\\lim_{n\\to\\infty}(1+\\frac1n)^n", "e", "equal")
    row("integral", "\\int_0^{\\infty} e^{-x}\\,dx", "1", "equal")
    row("integral", "\\int_0^{\\pi}\\sin x\\,dx", "2", "equal")
    row("integral", "\\int_0^1 \\frac{1}{1+x^2}\\,dx", "\\frac{\\pi}{4}", "equal")
    row("piecewise", "\\begin{cases}x&x\\ge0\\\\-x&x<0\\end{cases}", "\\begin{cases}-x&\\text{if }x<0\\\\x&\\text{if }x\\ge0\\end{cases}", "equal")
    row("piecewise", "\\begin{cases}x&x\\ge0\\\\-x&x<0\\end{cases}", "\\begin{cases}x&x\\ge0\\\\-2x&x<0\\end{cases}", "different")
    row("ratio", "7:32", "14:64", "equal")
    row("ratio", "7:32", "32:7", "different")
    row("ratio", "1:2:3", "2:4:6", "equal")
    row("ratio", "1:2:3", "1:3:2", "different")


def words_and_times():
    for h in range(1, 12):
        m = rng.randrange(0, 60)
        row("time", f"{h}:{m:02d}", f"{h}:{m:02d}", "equal")
        row("time", f"{h}:{m:02d} a.m.", f"{h}:{m:02d} AM", "equal")
        row("time", f"{h}:{m:02d} pm", f"{h + 12}:{m:02d}", "equal")
        row("time", f"{h}:{m:02d} am", f"{h}:{m:02d} pm", "different")
        row("time", f"{h}:{m:02d}", f"{h % 12 + 1}:{m:02d}", "different")
    months = "January February March April May June July August September October November December".split()
    for i, month in enumerate(months):
        d, y = rng.randrange(1, 28), rng.randrange(1900, 2030)
        ways = [f"{month} {d}, {y}", f"{d} {month} {y}", f"{y}-{i + 1:02d}-{d:02d}", f"\\text{{{month} {d}, {y}}}"]
        pairs("date", ways, [f"{month} {d + 1}, {y}", f"{months[(i + 1) % 12]} {d}, {y}", f"{d} {month} {y + 1}"], 2, 2)
    for c in "ABCDE":
        o = "ABCDE"[("ABCDE".index(c) + 1) % 5]
        for g in [c, f"({c})", f"\\text{{({c})}}", f"\\textbf{{({c})}}"]:
            row("choice", g, c, "equal")
            row("choice", g, f"({c})", "equal")
            row("choice", g, f"\\text{{{c}}}", "equal")
            row("choice", g, f"Option {c}", "equal")
            row("choice", g, o, "different")
            row("choice", g, f"({o})", "different")
            row("choice", g, f"\\textbf{{({o})}}", "different")
    for w, o in [("Evelyn", "Briana"), ("even", "odd"), ("ellipse", "hyperbola"), ("Tuesday", "Thursday"), ("yes", "no"), ("increasing", "decreasing"), ("parallelogram", "rhombus"), ("Monday", "Sunday")]:
        row("text", f"\\text{{{w}}}", w, "equal")
        row("text", w, w.upper(), "equal")
        row("text", w, f"\\textbf{{{w}}}", "equal")
        row("text", w, f"the {w}", "equal")
        row("text", w, o, "different")
        row("text", f"\\text{{{w}}}", f"not {w}", "different")
        row("text", w, "5", "different")


def bad_keys():
    for gold in ["\\frac{1}{", "\\sqrt{", "(1,2", "\\begin{pmatrix}1", "1/0", "\\frac{3}{0}", "{", "\\unknowncommand{5}", "5+", "x^", "\\log 0", "\\left(3", "|x", "2^{9^{9^9}", "$\\boxed{}$"]:
        for answer in ["1", gold, "\\text{anything}", "0", "\\frac{1}{2}"]:
            row("unreadable key", gold, answer, "undecided")


for make in [integers, decimals, fractions, mixed, percents, units, currency, scientific, radicals, powers, factorials, logarithms, trigonometry, constants, complex_numbers,
             intervals, sets, tuples, matrices, expressions, equations, inequalities, calculus, words_and_times, bad_keys]:
    make()
for r in rows:
    print(json.dumps(r, ensure_ascii=False))
