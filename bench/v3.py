#!/usr/bin/env python3
"""DeepSeek-V3's speed in one run (docs/v3.md): against a dense model of equal active parameters, with twice the experts, and
against transformers on the same model.

  bench/v3.py --work FOLDER [--python VENV/bin/python] [--only decode train dense experts transformers] [--rounds 3]

FOLDER gets the models (bench_v3 writes them, 1.2 GB); the Python is one with transformers. Each ratio's two figures take turns
for some rounds, and the best of each counts: machines are shared and noisy, so only ratios of one run mean something.
"""

import argparse
import pathlib
import re
import shutil
import sys

from compare import ROOT, run

TOKENIZER = ROOT / "tests/fixtures/tokenizers/gpt2/tokenizer.json"


def best(lines, key, *parts):
    """The largest value of `key` among the lines that hold all parts."""
    found = [re.search(rf"(?:^|\s){re.escape(key)}=([0-9.]+)", l) for l in lines if all(p in l for p in parts)]
    values = [float(f[1]) for f in found if f]
    return max(values) if values else sys.exit(f"no {key} with {parts} in {lines}")


def ratio(name, ours, theirs):
    print(f"ratio {name}: {ours:.4g} against {theirs:.4g} tokens/s, {ours / theirs:.2f}", flush=True)


class Bench:
    def __init__(self, a):
        self.a = a
        self.r1 = ROOT / "build/release/r1"

    def decode(self, model, batches, *words):
        return run(self.r1, "bench", "decode", self.a.work / model, "--batch", *batches, "--threads", self.a.threads, *words)

    def train(self, model, rows, length):
        return run(self.r1, "bench", "train", self.a.work / model, "--batch", rows, "--len", length, "--threads", self.a.threads)

    def in_turn(self, ours, theirs):
        """The lines of both, run in turn."""
        lines = [], []
        for _ in range(self.a.rounds):
            lines[0].extend(ours())
            lines[1].extend(theirs())
        return lines

    def compare(self, name, model, other, batches=(1, 4, 16, 32, 64, 256), shapes=((8, 256), (16, 512))):
        """`model`'s tokens/s over `other`'s, in decode and in training."""
        if "decode" in self.a.only:
            for weights in ("f32", "bf16"):
                ours, theirs = self.in_turn(lambda: self.decode(model, batches, "--weights", weights),
                                            lambda: self.decode(other, batches, "--weights", weights))
                for b in batches:
                    ratio(f"{name}, decode, {weights}, batch {b}", best(ours, "tokens/s", f"batch={b} "),
                          best(theirs, "tokens/s", f"batch={b} "))
        if "train" in self.a.only:
            for rows, length in shapes:
                ours, theirs = self.in_turn(lambda: self.train(model, rows, length), lambda: self.train(other, rows, length))
                for dtype in ("fp32", "bf16"):
                    ratio(f"{name}, training, {dtype}, {rows} x {length} tokens", best(ours, "tokens/s", f"dtype={dtype} "),
                          best(theirs, "tokens/s", f"dtype={dtype} "))

    def transformers(self):
        peer = ROOT / "bench/v3_transformers.py"
        for dtype, weights in (("fp32", "f32"), ("bf16", "bf16")):
            words = ("--dtype", dtype, "--threads", self.a.threads)
            if "decode" in self.a.only:
                ours = self.decode("v3", (1, 16), "--weights", weights)
                theirs = run(self.a.python, peer, self.a.work / "v3", "--only", "decode", *words)
                for b in (1, 16):
                    ratio(f"transformers, decode, {dtype}, batch {b}", best(ours, "tokens/s", f"batch={b} "),
                          best(theirs, "tokens/s", f"batch={b} "))
            if "train" in self.a.only:
                ours = self.train("v3", 8, 256)
                theirs = run(self.a.python, peer, self.a.work / "v3", "--only", "train", *words)
                ratio(f"transformers, training, {dtype}", best(ours, "tokens/s", f"dtype={dtype} "),
                      best(theirs, "tokens/s", f"dtype={dtype} "))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--python", default="")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=3, help="against our own models; transformers' script repeats by itself")
    p.add_argument("--only", nargs="+", default=["decode", "train", "dense", "experts", "transformers"],
                   help="decode and train say what is measured, the others against what")
    a = p.parse_args()
    if not (a.work / "v3").exists():
        run(ROOT / "build/release/bench_v3", a.threads, a.work)
        for model in ("v3", "v3_twice", "dense"):
            shutil.copy(TOKENIZER, a.work / model)
    bench = Bench(a)
    if "dense" in a.only:
        bench.compare("V3 over dense of equal active parameters", "v3", "dense")
    if "experts" in a.only:
        bench.compare("64 experts over 32", "v3_twice", "v3")
    if "transformers" in a.only and a.python:
        bench.transformers()


if __name__ == "__main__":
    main()
