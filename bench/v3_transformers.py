#!/usr/bin/env python3
"""Training and decode tokens/s of transformers' DeepseekV3 on a model folder, for each of its ways to run the experts.

usage: v3_transformers.py MODEL_DIR [--only train decode] [--dtype fp32 bf16] [--experts grouped_mm batched_mm eager]
                          [--rows 8] [--len 256] [--batch 1 16] [--prompt 32] [--new 64] [--steps 3] [--threads 2]
"""
import argparse
import time

import torch
from transformers import AutoModelForCausalLM

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def tokens(rows, length, vocabulary):
    return torch.randint(0, vocabulary, (rows, length), generator=torch.Generator().manual_seed(0))


def train(model, a):
    """The best of --steps steps: forward, backward, AdamW."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6)
    ids = tokens(a.rows, a.len, model.config.vocab_size)
    best = 1e30
    for _ in range(a.steps + 1):
        start = time.perf_counter()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        best = min(best, time.perf_counter() - start)
    return a.rows * a.len / best


@torch.no_grad()
def decode(model, a, batch):
    """The time of the first token is taken off, as r1 bench decode does."""
    model.eval()
    ids = tokens(batch, a.prompt, model.config.vocab_size)

    def seconds(new):
        start = time.perf_counter()
        model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new,
                       do_sample=True, pad_token_id=0)
        return time.perf_counter() - start

    seconds(2)
    return max(batch * (a.new - 1) / (seconds(a.new) - seconds(1)) for _ in range(a.steps))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("model")
    p.add_argument("--only", nargs="+", default=["train", "decode"], choices=["train", "decode"])
    p.add_argument("--dtype", nargs="+", default=["fp32"], choices=TYPES)
    p.add_argument("--experts", nargs="+", default=["grouped_mm", "batched_mm", "eager"])
    p.add_argument("--rows", type=int, default=8)
    p.add_argument("--len", type=int, default=256)
    p.add_argument("--batch", type=int, nargs="+", default=[1, 16])
    p.add_argument("--prompt", type=int, default=32)
    p.add_argument("--new", type=int, default=64)
    p.add_argument("--steps", type=int, default=2)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    for dtype in a.dtype:
        for experts in a.experts:
            model = AutoModelForCausalLM.from_pretrained(a.model, dtype=TYPES[dtype], experts_implementation=experts)
            tag = f"dtype={dtype} experts={experts}"
            for batch in a.batch if "decode" in a.only else []:
                print(f"transformers decode {tag} batch={batch} tokens/s={decode(model, a, batch):.1f}", flush=True)
            if "train" in a.only and experts != "batched_mm":  # which copies the weights for each token
                print(f"transformers train {tag} tokens/s={train(model, a):.1f}", flush=True)


if __name__ == "__main__":
    main()
