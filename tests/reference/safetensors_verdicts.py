#!/usr/bin/env python3
"""Writes damaged safetensors files with the verdict of the reference reader (safetensors 0.8.0) into one file.

    python tests/reference/safetensors_verdicts.py CASES [COUNT]   # 100000 if COUNT is not given
    R1_SAFETENSORS_CASES=CASES formats_tests "[reference]"

A case is: u32 length, u8 verdict (1 accepted), the file's bytes. Versions: requirements.txt beside this file.
"""

import json
import random
import struct
import sys

from safetensors import SafetensorError, deserialize

SEEDS = [
    ({"x": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}, "y": {"dtype": "I8", "shape": [3], "data_offsets": [8, 11]}}, 11),
    ({"__metadata__": {"format": "pt"}, "w": {"dtype": "BF16", "shape": [2, 0], "data_offsets": [0, 0]}}, 0),
    ({"a": {"dtype": "U8", "shape": [], "data_offsets": [0, 1]}, "b": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [1, 3]}}, 3),
    ({"q": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}, "r": {"dtype": "F64", "shape": [1], "data_offsets": [2, 10]}}, 10),
]
TOKENS = ["0", "1", "2", "8", "-1", "1.0", "1e0", "9223372036854775807", "9223372036854775808", "18446744073709551615",
          "18446744073709551616", "null", "true", "[]", "{}", "\"\"", "\"F32\"", "\"x\"", "\"dtype\"", "\"__metadata__\"", ",", ":", "[", "]", "{", "}",
          " ", "\n", "\t", "\\u0041", "\\ud800", "\\ud83d\\ude00", "\x00", "\x7f", "\u00e9", "/*c*/", "+", "0x1", "01", "NaN"]


def damage(header: str, rng: random.Random) -> bytes:
    text = header
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(len(text) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            text = text[:at] + rng.choice(TOKENS) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + rng.randint(1, 4):]
        elif kind == 2:
            text = text[:at] + rng.choice(TOKENS) + text[at + 1:]
        elif kind == 3:  # a field that the format does not know
            text = text.replace('"dtype"', f'"more":{rng.choice(TOKENS)},"dtype"', 1)
        elif kind == 4:
            text = text.replace(rng.choice(",:[]{}"), rng.choice([" ", "\n", "\t\r"]) + rng.choice(",:[]{}"), 1)
        else:  # a piece said twice
            end = min(len(text), at + rng.randint(1, 60))
            text = text[:end] + text[at:end] + text[end:]
    data = bytearray(text.encode())
    if data and rng.random() < 0.1:
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def make(rng: random.Random) -> bytes:
    header, size = rng.choice(SEEDS)
    separators = rng.choice([(",", ":"), (", ", ": ")])
    text = damage(json.dumps(header, separators=separators), rng)
    length = len(text) + (rng.choice([-1, 1, 8, 1 << 40]) if rng.random() < 0.03 else 0)
    size += rng.choice([-1, 1]) if rng.random() < 0.03 else 0
    return struct.pack("<Q", max(length, 0)) + text + b"\x01" * max(size, 0)


def is_accepted(data: bytes) -> bool:
    try:
        deserialize(data)
        return True
    except SafetensorError:
        return False


def main() -> None:
    rng = random.Random(20261123)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    accepted = 0
    with open(sys.argv[1], "wb") as out:
        for _ in range(count):
            data = make(rng)
            verdict = is_accepted(data)
            accepted += verdict
            out.write(struct.pack("<IB", len(data), verdict) + data)
    print(f"{count} cases, {accepted} accepted by the reference")


if __name__ == "__main__":
    main()
