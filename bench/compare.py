#!/usr/bin/env python3
"""Runs r1 and what users use today side by side on one machine and prints figures and ratios (docs/performance.md).

  bench/compare.py --peers FOLDER --python VENV/bin/python --model HF_FOLDER --gguf FILE [--only decode train grpo start]

FOLDER holds the peers' scripts (decode_transformers.py, decode_llamacpp.py, train_transformers.py, grpo_trl.py), the Python
is one in which they run. Each case runs r1, then its peer, one after the other: machines are shared and noisy, so only
ratios of one run mean something.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(*words):
    words = [str(w) for w in words]
    print("$", " ".join(words), flush=True)
    done = subprocess.run(words, capture_output=True, text=True)
    lines = [l for l in done.stdout.splitlines() if "=" in l]
    print("\n".join("  " + l for l in lines), flush=True)
    if done.returncode != 0:
        sys.exit(f"{words[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return lines


def figure(lines, key, *parts):
    """The value of `key` in the last line that holds all parts."""
    for line in reversed(lines):
        found = re.search(rf"(?:^|\s){re.escape(key)}=([0-9.]+)", line)
        if found and all(p in line for p in parts):
            return float(found[1])
    sys.exit(f"no {key} with {parts} in {lines}")


def ratio(name, ours, theirs, unit):
    print(f"ratio {name}: r1 {ours:.4g} {unit}, peer {theirs:.4g} {unit}, "
          f"{ours / theirs if unit != 's' and unit != 'MiB' else theirs / ours:.2f}x", flush=True)


def decode(a):
    ours = run(a.r1, "bench", "decode", a.gguf, "--threads", a.threads)
    bf16 = run(a.r1, "bench", "decode", a.gguf, "--weights", "bf16", "--threads", a.threads)
    llama = run(a.python, a.peers / "decode_llamacpp.py", a.gguf, "--threads", a.threads)
    hf = run(a.python, a.peers / "decode_transformers.py", a.model, "--dtype", "bf16", "--threads", a.threads)
    for batch in (1, 16, 64):
        mine = figure(ours, "tokens/s", f"batch={batch} ")
        ratio(f"decode batch {batch}, GGUF blocks, llama.cpp", mine, figure(llama, "decode tokens/s", f"batch={batch} "), "tokens/s")
        ratio(f"decode batch {batch}, GGUF blocks, transformers bf16", mine, figure(hf, "tokens/s", f"batch={batch} "), "tokens/s")
        ratio(f"decode batch {batch}, bf16, transformers bf16", figure(bf16, "tokens/s", f"batch={batch} "),
              figure(hf, "tokens/s", f"batch={batch} "), "tokens/s")


def train(a):
    ours = run(a.r1, "bench", "train", a.model, "--batch", 8, "--len", 256, "--threads", a.threads)
    ragged = run(a.r1, "bench", "train", a.model, "--batch", 8, "--len", 256, "--ragged", "--threads", a.threads)
    hf = run(a.python, a.peers / "train_transformers.py", a.model, "--batch", 8, "--len", 256)
    padded = run(a.python, ROOT / "bench" / "train_ragged_transformers.py", a.model, "--batch", 8, "--len", 256)
    for dtype in ("fp32", "bf16"):
        tag = f"dtype={dtype} "
        ratio(f"training {dtype}, equal lengths", figure(ours, "tokens/s", tag), figure(hf, "tokens/s", tag), "tokens/s")
        ratio(f"training {dtype}, ragged", figure(ragged, "tokens/s", tag), figure(padded, "tokens/s", tag), "tokens/s")


def grpo(a):
    words = ("--prompts", 4, "--group", 8, "--new", 64, "--steps", 2)
    ours = run(a.r1, "bench", "grpo", a.model, *words, "--threads", a.threads)
    trl = run(a.python, a.peers / "grpo_trl.py", a.model, *words)
    ratio("GRPO step fp32", figure(ours, "s", "grpo"), figure(trl, "s", "grpo"), "s")
    ratio("GRPO step peak memory", figure(ours, "peak_rss_mb"), figure(trl, "peak_rss_mb"), "MiB")


def start(a):
    best = 1e9
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([a.r1, "generate", a.gguf, "--prompt", "The", "--max-new-tokens", "1", "--threads", str(a.threads)],
                       capture_output=True, check=True)
        best = min(best, time.perf_counter() - begin)
    print(f"r1 start to first token and exit s={best:.3f}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--r1", default=ROOT / "build/release/r1")
    p.add_argument("--peers", type=pathlib.Path, required=True)
    p.add_argument("--python", required=True)
    p.add_argument("--model", required=True, help="SmolLM2 as a Hugging Face folder")
    p.add_argument("--gguf", required=True, help="the same as a GGUF file")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--only", nargs="+", default=["start", "decode", "train", "grpo"], choices=["start", "decode", "train", "grpo"])
    a = p.parse_args()
    for name in a.only:
        {"start": start, "decode": decode, "train": train, "grpo": grpo}[name](a)


if __name__ == "__main__":
    main()
