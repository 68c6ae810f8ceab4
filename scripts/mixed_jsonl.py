#!/usr/bin/env python3
"""Writes a small mixed data set of maths, code and puzzles, and worked examples that a tiny policy can learn it from.

  scripts/mixed_jsonl.py data/mixed      # math.jsonl, code.jsonl, puzzles.jsonl; examples.jsonl: --size, --examples, --seed

The examples are as mixed as what the web offers: many have a wrong answer, a broken form, a chain of thought in another
language or one that repeats itself. One maths key in 25 cannot be read, on purpose: its answers must end undecided. Needs
no package and is the same for the same seed. configs/mixed.toml trains on it.
"""

import argparse
import json
import os
import pathlib
import random

NAMES = ["Ann", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hal"]
THOUGHTS = {"en": ["we look at the question and see that it is", "this is not hard and the result is"],
            "es": ["miramos la pregunta y vemos que es", "esto no es muy dificil y el resultado es"]}


def math_question(rng):
    """Question, key, right answer and a wrong one."""
    a, b = rng.randint(1, 9), rng.randint(1, 9)
    off = rng.choice([-1, 1, 2])
    kind = rng.randrange(4)
    if kind == 0:
        return f"{a} + {b}", str(a + b), str(a + b), str(a + b + off)
    if kind == 1:
        return f"{a} - {b}", str(a - b), str(a - b), str(a - b + off)
    if kind == 2:
        return f"half of {a}", f"\\frac{{{a}}}{{2}}", f"{a}/2", f"{a + 1}/2"
    return f"x + {b} = {a + b}, x", f"x = {a}", f"x = {a}", f"x = {a + off}"


def code_question(rng):
    k = rng.randint(1, 20)
    sign, word = rng.choice([("+", "plus"), ("-", "minus"), ("*", "times")])
    other = rng.choice([s for s in "+-*" if s != sign])

    def program(operation):
        return f"```python\ndef f(x):\n    return x {operation} {k}\n```"

    values = [0, 1, 7, -3]
    cases = [{"args": [x], "result": {"+": x + k, "-": x - k, "*": x * k}[sign]} for x in values]
    return f"f(x): x {word} {k}", {"entry_point": "f", "cases": cases}, program(sign), program(other)


def puzzle_question(rng):
    """Two people; each says that the other is of a kind, or that both are the same or not."""
    names = rng.sample(NAMES, 2)
    is_knight = [rng.random() < 0.5, rng.random() < 0.5]
    statements, said = [], []
    for speaker in (0, 1):
        other = 1 - speaker
        if rng.random() < 0.5:
            says = (is_knight[0] == is_knight[1]) == is_knight[speaker]
            same = ["<=>", ["telling-truth", 0], ["telling-truth", 1]]
            statements.append(same if says else ["not", same])
            said.append(f"{names[speaker]}: we are {'alike' if says else 'not alike'}")
        else:
            says = is_knight[other] == is_knight[speaker]
            statements.append(["telling-truth" if says else "lying", other])
            said.append(f"{names[speaker]}: {names[other]} is a {'knight' if says else 'knave'}")

    def answer(roles):
        return ", ".join(f"{name} is a {'knight' if role else 'knave'}" for name, role in zip(names, roles))

    key = {"names": names, "roles": ["knight", "knave"], "statements": statements}
    return ". ".join(said), key, answer(is_knight), answer([not role for role in is_knight])


QUESTIONS = {"math": math_question, "code": code_question, "knights_knaves": puzzle_question}


def prompt_of(question):
    return f"{question}?\n"


def rows(task, size, seed):
    """Questions that all differ."""
    rng = random.Random(f"{task} {seed}")
    seen = set()
    for _ in range(100 * size):
        question, key, _, _ = QUESTIONS[task](rng)
        if question in seen:
            continue
        seen.add(question)
        row = {"id": f"{task}-s{seed}-{len(seen)}", "task": task, "prompt": prompt_of(question)}
        if task == "code":
            row |= {"language": "python", "tests": key}
        else:
            row["answer"] = "\\frac{1}{" if task == "math" and len(seen) % 25 == 0 else key
        yield row
        if len(seen) == size:
            return
    raise SystemExit(f"--size {size}: only {len(seen)} different questions of {task} were found\n  mend: ask for fewer")


def examples(size, seed):
    rng = random.Random(f"examples {seed}")
    for _ in range(size):
        question, _, right, wrong = QUESTIONS[rng.choice(["math", "math", "code", "knights_knaves"])](rng)
        thought = rng.choice(THOUGHTS["es" if rng.random() < 0.3 else "en"])
        if rng.random() < 0.1:
            thought = " ".join([thought] * 3)
        answer = right if rng.random() < 0.5 else wrong
        completion = f"<think>{thought}</think><answer>{answer}</answer>"
        if rng.random() < 0.3:
            completion = rng.choice([f"<think>{thought}<answer>{answer}</answer>", f"{thought} {answer}",
                                     f"<think>{thought}</think>{answer}"])
        yield {"prompt": prompt_of(question), "completion": completion}


def write_atomically(path, items):
    """The file appears whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    count = 0
    with open(temporary, "w", encoding="utf-8") as file:
        for item in items:
            file.write(json.dumps(item) + "\n")
            count += 1
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    print(f"{path}: {count} lines")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, default=60, help="questions of each kind (default 60)")
    parser.add_argument("--examples", type=int, default=6000, help="worked examples (default 6000)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for task, name in (("math", "math"), ("code", "code"), ("knights_knaves", "puzzles")):
        write_atomically(args.folder / f"{name}.jsonl", rows(task, args.size, args.seed))
    write_atomically(args.folder / "examples.jsonl", examples(args.examples, args.seed))


if __name__ == "__main__":
    main()
