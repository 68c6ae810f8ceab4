#!/usr/bin/env python3
"""Copies a DeepSeek-V3 folder and lets its gates favour the low experts: e_score_correction_bias falls evenly from +SPAN to
-SPAN. For the curve of docs/v3.md that shows balancing at work. Only Python's standard library.

usage: skew_router.py MODEL OUT [--span 0.5]"""
import argparse
import json
import pathlib
import shutil
import struct

p = argparse.ArgumentParser()
p.add_argument("model", type=pathlib.Path)
p.add_argument("out", type=pathlib.Path)
p.add_argument("--span", type=float, default=0.5)
a = p.parse_args()
shutil.copytree(a.model, a.out)
path = a.out / "model.safetensors"
data = bytearray(path.read_bytes())
(length,) = struct.unpack_from("<Q", data)
changed = 0
for name, tensor in json.loads(data[8:8 + length]).items():
    if not name.endswith("e_score_correction_bias"):
        continue
    (count,), begin = tensor["shape"], 8 + length + tensor["data_offsets"][0]
    values = [a.span - 2 * a.span * i / (count - 1) for i in range(count)]
    struct.pack_into(f"<{count}f", data, begin, *values)
    changed += 1
path.write_bytes(data)
print(f"{changed} gates skewed")
