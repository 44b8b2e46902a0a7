"""Blocks of a decoder, forward and backward, here and in transformers on the same shapes: no padding on either side.

    ninja -C build bench_decoder; .deps/venv/bin/python benchmarks/decoder_blocks.py build/tests/trainer/models/bench/bench_decoder [threads [repeats]]
"""
import subprocess
import sys
import time

import torch
from transformers import LlamaConfig, LlamaModel

tool, threads, repeats = sys.argv[1], int((sys.argv + [1, 1])[2]), int((sys.argv + [1, 10, 10])[3])
torch.set_num_threads(threads)
config = LlamaConfig(hidden_size=576, num_hidden_layers=4, num_attention_heads=9, num_key_value_heads=3, head_dim=64, intermediate_size=1536, vocab_size=1000)
model = LlamaModel(config).train()
ids = torch.randint(1000, (8, 128))
for turn in range(3):
    print(subprocess.run([tool, str(threads), str(repeats)], check=True, capture_output=True, text=True).stdout.strip(), flush=True)
    best = float("inf")
    for _ in range(repeats):
        model.zero_grad(set_to_none=False)
        start = time.perf_counter()
        model(input_ids=ids, use_cache=False).last_hidden_state.sum().backward()
        best = min(best, time.perf_counter() - start)
    print(f"{threads} threads, transformers: step {best * 1e3:.1f} ms, {ids.numel() / best:.0f} tokens/s", flush=True)
