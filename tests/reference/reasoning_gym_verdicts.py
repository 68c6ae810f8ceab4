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
            "syllogism", "caesar_cipher", "string_splitting", "puzzle24", "knights_knaves", "zebra_puzzles", "cryptarithm",
            "game_of_life"]
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


def puzzle24_candidates(item):
    gold, numbers = item["answer"], item["metadata"]["numbers"]
    yield "right", gold
    yield "in_parentheses", f"(({gold}))"
    yield "without_blanks", gold.replace(" ", "")
    yield "other_operation", gold.replace("+", "-", 1) if "+" in gold else gold.replace("-", "+", 1)
    yield "target", "24"
    yield "other_numbers", "6 + 6 + 6 + 6" if sorted(numbers) != [6, 6, 6, 6] else "4 * 6 + 1 - 1"
    yield "five_numbers", f"{gold} + 0"
    yield "sum_of_all", " + ".join(map(str, numbers))
    yield "truncated", f"({gold}) + 1/2"
    yield "empty", ""
    yield "prose", f"The answer is {gold}"


def knights_candidates(item):
    gold = item["answer"]
    terms = item["metadata"]["knight_knave_terms"]
    claims = [part.strip() for part in gold.rstrip(".").replace(", and ", ", ").replace(" and ", ", ").split(",")]
    a, b = terms["a_knight"], terms["a_knave"]

    def flipped(claim):
        return claim.replace(a, b) if claim.endswith(a) else claim.replace(b, a)

    yield "right", gold
    yield "other_order", " and ".join(reversed(claims)) + "."
    yield "no_full_stop", gold.rstrip(".")
    yield "capitals", gold.upper()
    yield "one_flipped", ", ".join([flipped(claims[0])] + claims[1:])
    yield "all_flipped", ", ".join(map(flipped, claims))
    yield "one_missing", ", ".join(claims[1:])
    yield "one_more", gold + f" Max is {a}."
    yield "both_roles", gold + " " + flipped(claims[0]) + "."
    yield "empty", ""
    yield "names_alone", ", ".join(map(str, item["metadata"]["names"]))


def zebra_candidates(item):
    gold = item["answer"]
    yield "right", gold
    yield "capitals", gold.upper()
    yield "letter_more", gold + "x"
    yield "letter_less", gold[:-1]
    yield "twice", f"{gold} {gold}"
    yield "empty", ""
    yield "sentence", f"The answer is {gold}"


def cryptarithm_candidates(item):
    gold = item["answer"]
    pairs = gold.split(",")
    digits = dict(pair.split("=") for pair in pairs)
    free = next((d for d in "0123456789" if d not in digits.values()), None)
    yield "right", gold
    yield "blanks", ", ".join(pair.replace("=", " = ") for pair in pairs)
    yield "other_order", ",".join(reversed(pairs))
    yield "one_missing", ",".join(pairs[1:])
    yield "one_more", gold + ",?=1"
    yield "two_swapped", ",".join([f"{pairs[0][0]}={pairs[1][2]}", f"{pairs[1][0]}={pairs[0][2]}"] + pairs[2:])
    yield "same_digit", ",".join([f"{pairs[0][0]}={pairs[1][2]}"] + pairs[1:])
    if free:
        yield "free_digit", ",".join([f"{pairs[0][0]}={free}"] + pairs[1:])
    yield "all_zero", ",".join(f"{pair[0]}=0" for pair in pairs)
    yield "small_letters", gold.lower()
    yield "empty", ""


def json_candidates(item):
    gold = item["answer"]
    board = json.loads(gold)
    yield "right", gold
    yield "blanks", json.dumps(board, indent=1)
    yield "one_cell", json.dumps([[1 - board[0][0]] + board[0][1:]] + board[1:])
    yield "one_row_less", json.dumps(board[:-1])
    yield "empty_board", "[]"
    yield "one_row_more", json.dumps(board + board[:1])
    yield "floats", json.dumps([[float(cell) for cell in row] for row in board])
    yield "strings", json.dumps([[str(cell) for cell in row] for row in board])
    yield "trailing_comma", gold[:-1] + ",]"
    yield "empty", ""
    yield "prose", f"The board is {gold}"


SPECIAL = {"countdown": countdown_candidates, "puzzle24": puzzle24_candidates, "knights_knaves": knights_candidates,
           "zebra": zebra_candidates, "cryptarithm": cryptarithm_candidates, "json": json_candidates}


def candidates(task, item):
    if task in SPECIAL:
        return SPECIAL[task](item)
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
