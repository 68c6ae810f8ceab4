#!/usr/bin/env python3
"""Writes a small mixed data set for a policy of a hundred million parameters: maths, code and puzzles, as JSONL for `r1 rl`.

  scripts/mixed_jsonl.py data/mixed            # math.jsonl, code.jsonl, puzzles.jsonl; --size and --seed, both optional

Needs no package and is the same for the same seed. configs/mixed-smollm2.toml trains on it.
"""

import argparse
import json
import os
import pathlib
import random
from fractions import Fraction


def tex(value):
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    return f"{'-' if value < 0 else ''}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def math_question(rng):
    a, b, c = rng.randint(2, 9), rng.randint(1, 9), rng.randint(2, 9)
    kinds = [
        lambda: (f"What is {a} + {b}?", str(a + b)),
        lambda: (f"What is {a} - {b}?", str(a - b)),
        lambda: (f"What is {a} * {c}?", str(a * c)),
        lambda: (f"Simplify the fraction {a * c}/{c * (a + b)}.", tex(Fraction(a, a + b))),
        lambda: (f"Solve x + {b} = {a + b} for x.", f"x = {a}"),
        lambda: (f"What is half of {2 * a + 1}?", tex(Fraction(2 * a + 1, 2))),
        lambda: (f"Solve x^2 = {a * a}. Give all solutions.", f"x = \\pm {a}"),
        lambda: (f"What is {10 * b}% of {10 * c}?", tex(Fraction(b * c))),
    ]
    return rng.choice(kinds)()


def code_question(rng):
    k = rng.randint(2, 60)
    numbers, texts = [0, 1, 7, -3, 12], ["", "a", "abc", "level", "Hi you"]
    lists = [[], [4], [3, 1, 2], [-1, 5, 5, 0]]
    pairs = [[1, 2], [7, 7], [-4, 9], [0, -5]]
    kinds = [
        (f"add_{k}(x)", f"returns x plus {k}", lambda x: x + k, [[x] for x in numbers]),
        (f"times_{k}(x)", f"returns x times {k}", lambda x: x * k, [[x] for x in numbers]),
        (f"minus_{k}(x)", f"returns x minus {k}", lambda x: x - k, [[x] for x in numbers]),
        (f"is_above_{k}(x)", f"returns whether x is greater than {k}", lambda x: x > k, [[x] for x in numbers]),
        (f"modulo_{k}(x)", f"returns the remainder of x divided by {k}", lambda x: x % k, [[x] for x in numbers]),
        ("larger(a, b)", "returns the larger of a and b", max, pairs),
        ("add(a, b)", "returns the sum of a and b", lambda a, b: a + b, pairs),
        ("backwards(s)", "returns the text s reversed", lambda s: s[::-1], [[s] for s in texts]),
        ("length(items)", "returns the number of items in a list", len, [[items] for items in lists]),
        ("total(items)", "returns the sum of a list of numbers", sum, [[items] for items in lists]),
    ]
    signature, what, reference, arguments = rng.choice(kinds)
    cases = [{"args": args, "result": reference(*args)} for args in arguments]
    question = f"Write a Python function {signature} that {what}. Put the function in a ```python block inside the answer tags."
    return question, {"entry_point": signature.split("(")[0], "cases": cases}


def puzzle_question(rng):
    first, second = rng.sample(["Ann", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hal"], 2)
    is_knight = [rng.random() < 0.5, rng.random() < 0.5]
    # Each says whether the other is a knight, which is true only if a knight says it.
    says_knight = [is_knight[1 - speaker] == is_knight[speaker] for speaker in (0, 1)]
    if rng.random() < 0.5:
        says_knight[0] = None  # speaks of both instead
    statements, lines = [], []
    for speaker, (name, other, says) in enumerate(((first, second, says_knight[0]), (second, first, says_knight[1]))):
        if says is None:
            same = is_knight[0] == is_knight[1]
            truth = same == is_knight[speaker]
            relation = ["<=>", ["telling-truth", 0], ["telling-truth", 1]]
            statements.append(relation if truth else ["not", relation])
            lines.append(f'{name} says: "We are {"the same" if truth else "different"}."')
        else:
            statements.append(["telling-truth" if says else "lying", 1 - speaker])
            lines.append(f'{name} says: "{other} is a {"knight" if says else "knave"}."')
    question = (f"Knights always tell the truth and knaves always lie. {' '.join(lines)} Who is what? "
                f'Answer like "{first} is a knight, {second} is a knave".')
    return question, {"names": [first, second], "roles": ["knight", "knave"], "statements": statements}


def rows(kind, size, seed):
    """Questions that all differ."""
    rng = random.Random(f"{kind} {seed}")
    seen = set()
    for _ in range(100 * size):
        row = {"id": f"{kind}-s{seed}-{len(seen)}", "task": kind}
        if kind == "math":
            row["prompt"], row["answer"] = math_question(rng)
        elif kind == "code":
            row["prompt"], row["tests"] = code_question(rng)
            row["language"] = "python"
        else:
            row["prompt"], row["answer"] = puzzle_question(rng)
        if row["prompt"] not in seen:
            seen.add(row["prompt"])
            yield row
        if len(seen) == size:
            return
    raise SystemExit(f"--size {size}: only {len(seen)} different questions of {kind} were found\n  mend: ask for fewer")


def write_atomically(path, lines):
    """The file appears whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, default=200, help="questions of each kind (default 200)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for kind, name in (("math", "math"), ("code", "code"), ("knights_knaves", "puzzles")):
        path = args.folder / f"{name}.jsonl"
        write_atomically(path, (json.dumps(row, ensure_ascii=False) for row in rows(kind, args.size, args.seed)))
        print(f"{path}: {args.size} questions")


if __name__ == "__main__":
    main()
