#!/usr/bin/env python3
"""Fails for files above 400 lines (tests 600) and functions above 60: the line that every RL framework lost."""
import pathlib
import re
import sys

FOLDERS = "core formats kernels text model tasks rewards rollout nn train sft rl cli".split()
OPENS = re.compile(r"^\S.*\)\s*(const)?\s*(noexcept)?\s*(override)?(\s*->\s*[\w:<>&*]+)?\s*(try)?\s*\{$")


def functions(lines):
    """(first line, length) of bodies that open at the left margin: house style puts no code deeper at top level."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and (OPENS.match(line) or (re.match(r"^\s.*\)( const)? \{$", line) and is_continued(lines, number))):
            start = number
        elif start is not None and line.startswith("}"):
            yield start, number - start + 1
            start = None


def is_continued(lines, number):
    """A signature over several lines: walk up to the line that begins at the margin."""
    for previous in reversed(lines[max(0, number - 8):number - 1]):
        if previous[:1] not in (" ", ""):
            return not previous.rstrip().endswith((";", "}", "{")) and "(" in previous
    return False


bad = []
paths = [p for folder in FOLDERS for p in sorted(pathlib.Path(folder).rglob("*")) if p.suffix in {".h", ".cpp", ".cu"}]
for path in paths + sorted(pathlib.Path("tests").rglob("*.cpp")):
    lines = path.read_text().splitlines()
    limit = 600 if path.parts[0] == "tests" else 400
    if len(lines) > limit:
        bad.append(f"{path}: {len(lines)} lines, at most {limit}")
    if path.parts[0] != "tests" and path.suffix == ".cpp":
        bad += [f"{path}:{start}: a function of {length} lines, at most 60" for start, length in functions(lines) if length > 60]
print("\n".join(bad) or "lengths: ok")
sys.exit(bool(bad))
