#!/usr/bin/env python3
"""Our verdicts beside math-verify's on the pairs of math-verify's own tests, and the speed of both on our corpus.

usage, in an environment with math-verify==0.9.0 latex2sympy2_extended==1.11.0 sympy==1.14.0 pytest==9.2.0:
  math_verify_judge.py tests --r1 build/release/r1 [--show]       agreement on math-verify's tests
  math_verify_judge.py corpus --r1 build/release/r1 [--show]      both judges against the labels of our corpus
  math_verify_judge.py speed [--seconds 20]                       math-verify's verdicts/s on one core, for bench_math

`tests` takes the tests from the source distribution on PyPI into a temporary folder; nothing of them is kept. A pair is what a
test hands to its helper compare_strings, and its label is what that test expects. --show prints each pair of a disagreement."""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time

VERSION = "0.9.0"
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "math"


class Recorder:
    """A pytest plugin that notes each call of compare_strings, and what the test that made it expects."""

    def __init__(self):
        self.rows = []
        self.item = None

    def pytest_collection_modifyitems(self, items):
        for module in {item.module for item in items}:
            if hasattr(module, "compare_strings"):
                module.compare_strings = self.wrap(module.compare_strings)

    def pytest_runtest_call(self, item):
        self.item = item

    def wrap(self, compare):
        def recorded(gold, pred, *args, **kwargs):
            verdict = bool(compare(gold, pred, *args, **kwargs))
            params = self.item.callspec.params if hasattr(self.item, "callspec") else {}
            expected = next((params[key] for key in ("expected", "result") if key in params), None)
            self.rows.append({"test": self.item.nodeid.split("[")[0].split("/")[-1], "gold": gold, "pred": pred,
                              "label": None if expected is None else bool(expected), "math_verify": verdict,
                              "settings": {k: v for k, v in kwargs.items() if k != "match_types"}})
            return verdict
        return recorded


def pairs_of_tests():
    import pytest
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--no-binary",
                        ":all:", "-d", folder, f"math-verify=={VERSION}"], check=True)
        with tarfile.open(next(pathlib.Path(folder).glob("*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
        root = next(p for p in pathlib.Path(folder).iterdir() if p.is_dir())
        sys.path.insert(0, str(root))
        recorder = Recorder()
        status = pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", str(root), str(root / "tests")], plugins=[recorder])
        print(f"math-verify {VERSION}: its own tests end with status {int(status)}, {len(recorder.rows)} pairs")
        return recorder.rows


def corpus():
    rows = []
    for name in ("generated", "handwritten"):
        rows += [json.loads(line) for line in open(FIXTURES / f"{name}.jsonl", encoding="utf-8")]
    return rows


def our_verdicts(program, pairs):
    """right, wrong or undecided for each (gold, completion)."""
    rows = "".join(json.dumps({"id": i, "task": "math", "answer": gold, "completion": completion}) + "\n"
                   for i, (gold, completion) in enumerate(pairs))
    done = subprocess.run([program, "score", "-", "--set", "answer_place=anywhere"], input=rows.encode(),
                          stdout=subprocess.PIPE, check=False)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def as_latex(text):
    """math-verify reads LaTeX only where it is marked as such."""
    return text if "$" in text or "\\boxed" in text else f"${text}$"


def math_verify_verdict(gold, answer):
    from math_verify import parse, verify
    try:
        return bool(verify(parse(as_latex(gold)), parse(as_latex(answer))))
    except Exception as error:
        return f"error: {type(error).__name__}"


def timed_verdicts(rows, seconds):
    """Verdicts of as many rows as fit into the time, and how many a second."""
    math_verify_verdict("1", "1")
    start, verdicts = time.process_time(), []
    for row in rows:
        if time.process_time() - start >= seconds:
            break
        verdicts.append(math_verify_verdict(row["gold"], row["answer"]))
    return verdicts, len(verdicts) / (time.process_time() - start)


def table(title, counts):
    print(f"\n{title}")
    for key, count in sorted(counts.items(), key=str):
        print("  " + " | ".join(str(part) for part in key) + f" | {count}")


def run_tests(args):
    rows = pairs_of_tests()
    ours = our_verdicts(args.r1, [(row["gold"], row["pred"]) for row in rows])
    table("label | math-verify | ours | pairs",
          collections.Counter((row["label"], row["math_verify"], our["verdict"]) for row, our in zip(rows, ours)))
    same = sum(row["math_verify"] == (our["verdict"] == "right") for row, our in zip(rows, ours))
    print(f"\nsame verdict: {same} of {len(rows)}")
    for row, our in zip(rows, ours):
        if args.show and row["math_verify"] != (our["verdict"] == "right"):
            print(json.dumps({**row, "ours": our["verdict"], "reason": our["reason"]}, ensure_ascii=False))


def run_corpus(args):
    rows = corpus()
    ours = our_verdicts(args.r1, [(row["gold"], row["answer"]) for row in rows])
    verdicts, rate = timed_verdicts(rows, float("inf"))
    print(f"math-verify {VERSION}: pairs={len(rows)} verdicts/s={rate:.1f} (processor time, first sight of each pair)")
    table("label | math-verify | ours | pairs",
          collections.Counter((row["label"], v, our["verdict"]) for row, v, our in zip(rows, verdicts, ours)))
    by_kind = collections.Counter((row["kind"], row["label"], f"math-verify {v}", our["verdict"])
                                  for row, v, our in zip(rows, verdicts, ours) if v != (row["label"] == "equal"))
    table("where math-verify departs from the label: kind | label | math-verify | ours | pairs", by_kind)
    for row, v, our in zip(rows, verdicts, ours):
        if args.show and v != (our["verdict"] == "right"):
            print(json.dumps({**row, "math_verify": v, "ours": our["verdict"]}, ensure_ascii=False))


def run_speed(args):
    rows = [json.loads(line) for line in open(args.pairs, encoding="utf-8")]
    verdicts, rate = timed_verdicts(rows, args.seconds)
    print(f"math-verify {VERSION}: pairs={len(verdicts)} of {len(rows)} verdicts/s={rate:.1f} (processor time, first sight of each pair)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["tests", "corpus", "speed"])
    parser.add_argument("--r1", default="build/release/r1")
    parser.add_argument("--pairs", default=str(FIXTURES / "generated.jsonl"))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    {"tests": run_tests, "corpus": run_corpus, "speed": run_speed}[args.what](args)


if __name__ == "__main__":
    main()
