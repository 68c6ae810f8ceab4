#!/usr/bin/env python3
"""Checks that transformers loads what save_model() writes, with equal weights and logits.

    R1_REFERENCE_OUT=DIR model_tests "[reference]"   # writes DIR/llama, DIR/qwen2, ... from tests/fixtures
    python tests/reference/check_saved_model.py DIR

Versions: requirements.txt beside this file. Ends with status 1 if anything differs.
"""

import pathlib
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
# Folder under DIR -> the model it was made from: a folder, or a GGUF file.
SOURCES = {
    "llama": "llama",
    "llama_in_shards": "llama",
    "qwen2": "qwen2",
    "smollm2_tied_bf16": "smollm2_tied_bf16",
    "deepseek_v3": "deepseek_v3",  # without its MTP module, which AutoModelForCausalLM leaves out
    "deepseek_v3_in_shards": "deepseek_v3",
    "gguf_f32": "gguf/tiny-llama-f32.gguf",
    "gguf_q8_0": "gguf/tiny-llama-q8_0.gguf",
    "gguf_q4_0": "gguf/tiny-llama-q4_0.gguf",
    "gguf_q4_1": "gguf/tiny-llama-q4_1.gguf",
}
# What a saved config must say as the original does.
CONFIG_KEYS = [
    "architectures", "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "head_dim", "max_position_embeddings", "rms_norm_eps", "rope_parameters", "tie_word_embeddings",
    "bos_token_id", "eos_token_id", "hidden_act", "q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim",
    "v_head_dim", "rope_interleave", "n_routed_experts", "n_shared_experts", "num_experts_per_tok", "n_group", "topk_group",
    "moe_intermediate_size", "first_k_dense_replace", "norm_topk_prob", "routed_scaling_factor", "num_nextn_predict_layers",
]


def load(path: pathlib.Path):
    options = {"dtype": torch.float32, "attn_implementation": "eager"}
    if path.suffix == ".gguf":
        return AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, **options).eval()
    return AutoModelForCausalLM.from_pretrained(path, **options).eval()


def differences(original, saved, is_gguf: bool):
    """Sentences, none if the models are equal."""
    if not is_gguf:  # transformers fills a GGUF's config in by other rules
        for key in CONFIG_KEYS:
            a, b = getattr(original.config, key, None), getattr(saved.config, key, None)
            if a != b:
                yield f"config {key}: {a} became {b}"
    before, after = original.state_dict(), saved.state_dict()
    if before.keys() != after.keys():
        yield f"tensors differ: {sorted(before.keys() ^ after.keys())}"
    for name in before.keys() & after.keys():
        if not torch.equal(before[name], after[name]):
            yield f"tensor {name} differs by {(before[name] - after[name]).abs().max()}"
    ids = torch.arange(24).reshape(2, 12) % original.config.vocab_size
    with torch.no_grad():
        gap = (original(ids).logits - saved(ids).logits).abs().max().item()
    if gap != 0:
        yield f"logits differ by {gap}"


def main() -> int:
    out = pathlib.Path(sys.argv[1])
    failures = 0
    for folder, source in SOURCES.items():
        AutoConfig.from_pretrained(out / folder)  # config.json alone loads too
        problems = list(differences(load(FIXTURES / source), load(out / folder), source.endswith(".gguf")))
        print(f"{folder}: {'equal' if not problems else '; '.join(problems)}")
        failures += bool(problems)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
