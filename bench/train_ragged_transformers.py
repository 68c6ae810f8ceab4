#!/usr/bin/env python3
"""Training tokens/s of transformers on rows of uneven length, padded to the longest as its users do; padding counts for
nothing. The lengths are spread evenly from LEN / 8 to LEN, as `r1 bench train --ragged`'s are.

usage: train_ragged_transformers.py MODEL_DIR [--batch 8] [--len 256] [--steps 3] [--dtype fp32 bf16]"""
import argparse
import time

import torch
from transformers import AutoModelForCausalLM

p = argparse.ArgumentParser()
p.add_argument("model")
p.add_argument("--batch", type=int, default=8)
p.add_argument("--len", type=int, default=256)
p.add_argument("--steps", type=int, default=3)
p.add_argument("--dtype", nargs="+", default=["fp32", "bf16"])
a = p.parse_args()
generator = torch.Generator().manual_seed(0)
lengths = torch.randint(a.len // 8, a.len + 1, (a.batch,), generator=generator)
longest = int(lengths.max())
ids = torch.randint(100, 10000, (a.batch, longest), generator=generator)
mask = (torch.arange(longest)[None] < lengths[:, None]).long()
labels = ids.masked_fill(mask == 0, -100)
for dtype in a.dtype:
    model = AutoModelForCausalLM.from_pretrained(a.model, dtype={"bf16": torch.bfloat16, "fp32": torch.float32}[dtype]).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6)

    def step():
        model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    step()
    start = time.perf_counter()
    for _ in range(a.steps):
        step()
    seconds = (time.perf_counter() - start) / a.steps
    print(f"transformers train dtype={dtype} lengths=ragged tokens/s={int(lengths.sum()) / seconds:.1f} "
          f"fill={int(lengths.sum()) / (a.batch * longest):.2f}", flush=True)
