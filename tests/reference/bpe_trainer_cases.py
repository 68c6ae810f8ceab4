#!/usr/bin/env python3
"""Writes tests/fixtures/tokenizers/trainer.json: a small corpus and what HF tokenizers' trainer learns from it.

Made with tokenizers 0.23.3. Run: python tests/reference/bpe_trainer_cases.py
"""

import json
import pathlib
import random

import tokenizers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
PRE_TOKENIZERS = {
    "gpt2": GPT2,
    "qwen2": pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"), BYTES]),
    "digits-together": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=False), GPT2]),
}


def corpus():
    rng = random.Random(20261123)
    words = "wait let me try again the numbers are so target is not that works because aaaa abab banana na\u00efve \u4f60\u597d".split()
    lines = []
    for _ in range(300):
        line = " ".join(rng.choice(words) for _ in range(rng.randint(1, 9)))
        lines.append(f"{line}: {rng.randint(0, 400)}{rng.choice('+-*/')}{rng.randint(0, 99)} = {rng.randint(0, 999)}\n")
    return lines


def main():
    lines = corpus()
    cases = []
    for name, vocab_size, min_frequency in [
        ("gpt2", 400, 2),
        ("qwen2", 380, 2),
        ("digits-together", 500, 2),
        ("digits-together", 5000, 3),
        ("gpt2", 5000, 1),
    ]:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = PRE_TOKENIZERS[name]
        special = ["<pad>", "<eos>"]
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(lines, trainer)
        model = json.loads(tokenizer.to_str())["model"]
        vocab = [token for token, _ in sorted(model["vocab"].items(), key=lambda item: item[1])]
        cases.append(
            {
                "pre_tokenizer": name,
                "vocab_size": vocab_size,
                "min_frequency": min_frequency,
                "special_tokens": special,
                "vocab": vocab,
                "merges": model["merges"],
            }
        )
    target = pathlib.Path(__file__).parent.parent / "fixtures" / "tokenizers" / "trainer.json"
    made_with = f"tokenizers {tokenizers.__version__}, tests/reference/bpe_trainer_cases.py"
    target.write_text(json.dumps({"made_with": made_with, "corpus": lines, "cases": cases}) + "\n")
    print([(c["pre_tokenizer"], len(c["vocab"]), len(c["merges"])) for c in cases], target.stat().st_size)


main()
