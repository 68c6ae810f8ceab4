#!/usr/bin/env python3
"""Writes prompts of reasoning-gym data sets, with their answer keys, as JSONL that `r1` trains and evaluates on.

  scripts/reasoning_gym_jsonl.py --dataset chain_sum --dataset gsm_symbolic --size 2000 --seed 1 data/sums.jsonl
  scripts/reasoning_gym_jsonl.py --dataset chain_sum --param chain_sum.max_terms=3 --param max_digits=2 data/easy.jsonl
  scripts/reasoning_gym_jsonl.py --list

Each line has id, task, prompt, answer and metadata (tasks/jsonl.h). Only data sets whose answers one of r1's rewards
can check are written; the others are refused by name.
"""

import argparse
import difflib
import json
import os
import pathlib
import sys

VERSION = "0.1.25"

# Data set -> the r1 task whose reward gives the data set's own verdict on an answer.
NUMBER = """basic_arithmetic binary_alternation chain_sum count_bits count_primes decimal_chain_sum gcd gsm_symbolic
largest_island lcm leg_counting letter_counting maze number_sequence products rotten_oranges simple_equations
simple_geometry""".split()
TEXT = """acre aiw base_conversion bf caesar_cipher course_schedule isomorphic_strings list_functions mahjong_puzzle
modulo_grid number_filtering ransom_note rotate_matrix string_manipulation string_splitting string_synthesis syllogism
word_sequence_reversal""".split()
JSON = "game_of_life".split()
CHECKED = {name: name for name in ("countdown", "cryptarithm", "knights_knaves", "puzzle24")} | {"zebra_puzzles": "zebra"}
TASKS = CHECKED | dict.fromkeys(JSON, "json") | dict.fromkeys(NUMBER, "number") | dict.fromkeys(TEXT, "text")


def fail(where, what, mend):
    sys.exit(f"{where}: {what}\n  mend: {mend}")


def import_reasoning_gym():
    try:
        import reasoning_gym
    except ImportError:
        fail("reasoning_gym", "the Python package is not installed",
             f"{sys.executable} -m pip install reasoning-gym=={VERSION}, or run this with a Python that has it")
    return reasoning_gym


def task_of(name, known):
    """The r1 task of a data set; ends the program for one that cannot be checked."""
    if name in TASKS and name in known:
        return TASKS[name]
    if name in known:
        fail(f"--dataset {name}", "its answers need a checker of their own, which r1 does not have",
             "use one of: " + ", ".join(sorted(TASKS)))
    near = difflib.get_close_matches(name, known, 1)
    fail(f"--dataset {name}", "reasoning-gym has no such data set",
         f"perhaps {near[0]}" if near else "see --list for the names")


def answer_key(task, item, where):
    """The answer in the notation of r1's reward."""
    metadata = item["metadata"]
    if task == "countdown":
        numbers = " ".join(str(n) for n in sorted(metadata["numbers"]))
        return f"{numbers} = {metadata['target']} using + - * / neg"
    if task == "puzzle24":
        return " ".join(str(n) for n in metadata["numbers"])
    if task == "cryptarithm":
        return json.dumps({"words": list(metadata["words_letters"]), "result": metadata["result_letters"],
                           "allow_leading_zero": bool(metadata["allow_leading_zero"])})
    if task == "knights_knaves":
        terms = metadata["knight_knave_terms"]
        return json.dumps({"names": [str(name) for name in metadata["names"]],
                           "roles": [str(terms["knight"]), str(terms["knave"])], "statements": metadata["statements"]})
    answer = item["answer"].strip()
    if not answer:
        fail(where, "its answer is empty", "leave the data set out, or report it")
    if task == "number":
        try:
            float(answer)
        except ValueError:
            fail(where, f"its answer {answer!r} is no number", "leave the data set out, or report it")
    return answer


def params_of(name, params, known):
    """The --param settings for one data set: those without a data set's name, then its own."""
    chosen = {}
    for text in sorted(params, key=lambda p: "." in p.split("=", 1)[0]):
        key, separator, value = text.partition("=")
        owner, dot, field = key.rpartition(".")
        if not separator or not field:
            fail(f"--param {text}", "is not of the form [DATASET.]KEY=VALUE", "for example --param chain_sum.max_terms=3")
        if dot and owner not in known:
            fail(f"--param {text}", f"'{owner}' is not among the data sets asked for", f"add --dataset {owner}")
        if dot and owner != name:
            continue
        try:
            chosen[field] = json.loads(value)
        except json.JSONDecodeError:
            chosen[field] = value
    return chosen


def rows(reasoning_gym, name, task, args):
    params = params_of(name, args.param, args.dataset)
    try:
        dataset = reasoning_gym.create_dataset(name, size=args.size, seed=args.seed, **params)
    except (TypeError, AssertionError, ValueError) as error:
        fail(f"--dataset {name}", f"refuses its settings {params}: {error}", "correct --param, --size or --seed")
    for index in range(args.size):
        item = dataset[index]
        where = f"{name}-s{args.seed}-{index}"
        yield {
            "id": where,
            "task": task,
            "prompt": item["question"],
            "answer": answer_key(task, item, where),
            "metadata": {"dataset": name, "index": index} | item["metadata"],
        }


def write_atomically(path, lines):
    """The file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            for line in lines:
                file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", action="append", default=[], help="data set to write; may be given several times")
    parser.add_argument("--size", type=int, default=1000, help="questions of each data set (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the generators (default 1)")
    parser.add_argument("--param", action="append", default=[], metavar="[DATASET.]KEY=VALUE",
                        help="setting of a data set (or of all), value in JSON; may be given several times")
    parser.add_argument("--list", action="store_true", help="print the data sets that can be written, with their tasks")
    parser.add_argument("out", nargs="?", type=pathlib.Path, help="file to write")
    return parser.parse_args()


def main():
    args = parse_arguments()
    if args.list:
        print("\n".join(f"{name:24}{task}" for name, task in sorted(TASKS.items())))
        return
    if not args.dataset or args.out is None:
        fail("arguments", "no data set or no file to write", "for example --dataset chain_sum data/chain_sum.jsonl")
    if args.size < 1:
        fail("--size", f"must be at least 1, got {args.size}", "use 1 or more")
    if len(set(args.dataset)) != len(args.dataset):
        fail("--dataset", "a data set is named twice, which would write its ids twice", "name each once")

    reasoning_gym = import_reasoning_gym()
    known = reasoning_gym.factory.DATASETS
    tasks = [task_of(name, known) for name in args.dataset]
    count = 0

    def lines():
        nonlocal count
        for name, task in zip(args.dataset, tasks):
            for row in rows(reasoning_gym, name, task, args):
                count += 1
                yield json.dumps(row, ensure_ascii=False, default=str)

    write_atomically(args.out, lines())
    print(f"{args.out}: {count} questions of {', '.join(args.dataset)}")


if __name__ == "__main__":
    main()
