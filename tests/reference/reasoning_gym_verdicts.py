#!/usr/bin/env python3
"""Makes tests/fixtures/reasoning_gym: right and spoilt answers with the verdict of reasoning-gym's own scorers.

Run with a Python that has reasoning-gym 0.1.25:  python tests/reference/reasoning_gym_verdicts.py
verdicts.jsonl holds rows {dataset, task, answer (our key), kind, candidate, oracle (its score)}; questions.jsonl is what
scripts/reasoning_gym_jsonl.py writes for the same data sets. tests/rewards/reasoning_gym_test.cpp reads both.
"""

import json
import pathlib
import re
import subprocess
import sys

import reasoning_gym

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "fixtures" / "reasoning_gym"
sys.path.insert(0, str(ROOT / "scripts"))
from reasoning_gym_jsonl import TASKS, answer_key  # noqa: E402

DATASETS = ["chain_sum", "basic_arithmetic", "products", "decimal_chain_sum", "gsm_symbolic", "gcd", "countdown",
            "syllogism", "caesar_cipher", "string_splitting"]
SIZE, SEED = 12, 5


def number_candidates(gold):
    yield "right", gold
    yield "blanks_around", f" {gold}\n"
    yield "leading_zeros", re.sub(r"^(-?)", r"\g<1>00", gold)
    yield "closing_zeros", gold + ("0" if "." in gold else ".00")
    yield "plus_sign", gold if gold.startswith("-") else "+" + gold
    yield "thousands", f"{int(gold):,}" if "." not in gold else gold
    yield "negated", gold[1:] if gold.startswith("-") else "-" + gold
    yield "one_more", str(int(gold) + 1) if "." not in gold else gold[:-1] + str((int(gold[-1]) + 1) % 10)
    yield "digit_more", gold + ("5" if "." in gold else "7")
    yield "digit_less", gold[:-1]
    yield "a_little_more", gold + ("0001" if "." in gold else ".0001")
    yield "empty", ""
    yield "word", "zero"
    yield "two_numbers", f"{gold} {gold}"
    yield "sentence", f"The answer is {gold}"
    yield "expression", f"{gold}+0"


def countdown_candidates(item):
    gold, numbers, target = item["answer"], item["metadata"]["numbers"], item["metadata"]["target"]
    yield "right", gold
    yield "without_blanks", gold.replace(" ", "")
    yield "in_parentheses", f"(({gold}))"
    yield "blanks_around", f" {gold}\n"
    yield "other_operation", gold.replace("+", "-", 1) if "+" in gold else gold.replace("-", "+", 1)
    yield "number_dropped", re.sub(r"\s*[-+*/]\s*\d+$", "", gold)
    yield "number_repeated", f"{gold} + {numbers[0]} - {numbers[0]}"
    yield "other_numbers", f"{target}"
    yield "one_added", f"{gold} + 1 - 1"
    yield "cancelled", f"({gold}) / 1"
    yield "trailing_equals", f"{gold} = {target}"
    yield "empty", ""
    yield "unclosed", f"({gold}"
    yield "prose", f"The answer is {gold}"
    yield "product_of_all", " * ".join(map(str, numbers))
    yield "sum_of_all", " + ".join(map(str, numbers))
    yield "juxtaposed", " ".join(map(str, numbers))
    yield "double_sign", f"--{gold}"


def text_candidates(gold):
    yield "right", gold
    yield "blank_before", " " + gold
    yield "other_case", gold.swapcase()
    yield "letter_more", gold + "x"
    yield "letter_less", gold[:-1]
    yield "twice", gold + gold
    yield "empty", ""
    yield "sentence", f"The answer is {gold}."


def candidates(task, item):
    if task == "countdown":
        return countdown_candidates(item)
    return (number_candidates if task == "number" else text_candidates)(item["answer"])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    with open(OUT / "verdicts.jsonl", "w", encoding="utf-8") as file:
        for name in DATASETS:
            dataset = reasoning_gym.create_dataset(name, size=SIZE, seed=SEED)
            task = TASKS[name]
            for index in range(SIZE):
                item = dataset[index]
                key = answer_key(task, item, name)
                for kind, candidate in candidates(task, item):
                    score = dataset.score_answer(candidate, item)
                    row = {"dataset": name, "task": task, "answer": key, "kind": kind, "candidate": candidate,
                           "oracle": round(float(score), 6)}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    arguments = [word for name in DATASETS for word in ("--dataset", name)]
    subprocess.run([sys.executable, ROOT / "scripts" / "reasoning_gym_jsonl.py", *arguments, "--size", "3", "--seed",
                    str(SEED), OUT / "questions.jsonl"], check=True)


if __name__ == "__main__":
    main()
