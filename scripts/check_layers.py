#!/usr/bin/env python3
"""Fails if a folder includes one it may not. The table is the architecture; docs/architecture.md prints it."""
import pathlib
import re
import sys

TORCH_FREE = {"core", "formats", "kernels", "text", "model", "tasks", "rewards", "rollout"}
MAY_INCLUDE = {
    "core": set(),
    "formats": {"core"},
    "kernels": {"core"},
    "text": {"core", "formats"},
    "model": {"core", "formats", "kernels"},
    "tasks": {"core", "text"},
    "rewards": {"core", "text", "tasks"},
    "rollout": {"core", "text", "formats", "kernels", "model"},
    "nn": {"core", "formats", "kernels", "model"},
    "train": {"core", "formats", "kernels", "model", "nn"},
    "sft": {"core", "text", "formats", "kernels", "model", "nn", "train", "tasks"},
    "rl": {"core", "text", "formats", "kernels", "model", "nn", "train", "tasks", "rollout", "rewards"},
}
MAY_INCLUDE["cli"] = set(MAY_INCLUDE)

bad = []
for folder, allowed in MAY_INCLUDE.items():
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.suffix not in {".h", ".cpp", ".cu", ".cuh"}:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            ours = re.match(r'#include "(\w+)/', line)
            if ours and ours[1] != folder and ours[1] not in allowed:
                bad.append(f"{path}:{number}: {folder}/ may not include {ours[1]}/")
            if folder in TORCH_FREE and re.match(r"#include <(torch|ATen|c10)/", line):
                bad.append(f"{path}:{number}: {folder}/ is free of torch")
print("\n".join(bad) or "layers: ok")
sys.exit(bool(bad))
