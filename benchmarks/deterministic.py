#!/usr/bin/env python3
"""What `deterministic = true` costs: the same job with and without it, in turn, on short and on long texts, 2 ranks and 1.

    .deps/venv/bin/python benchmarks/deterministic.py > benchmarks/deterministic.txt

Samples/s of the updates behind the first, medians of two; and whether both numbers of ranks gave the same model, byte by byte.
"""
import hashlib

import common

CONFIGS = {"short": ("bert_text_classification", 64), "long": ("bert_text_classification_long", 12)}


def run(config, updates, ranks, deterministic):
    done = common.Run(f"deterministic-{ranks}", config, f"train.max_steps={updates}", "data.max_eval_samples=64", "log.logging_steps=1", f"deterministic={str(deterministic).lower()}", ranks=ranks,
                      threads=2 // ranks)
    model = hashlib.sha256((done.directory / "model/model.safetensors").read_bytes()).hexdigest()
    return {"rate": common.harmonic_mean([step["samples_per_second"] for step in done.steps()[1:]])}, model


def main():
    print(f"{common.machine()}\nMiniLM, batch 32, float32; samples/s\n")
    print(f"{'texts':<8}{'ranks':>6}{'usual':>10}{'deterministic':>16}{'ratio':>8}")
    for name, (config, updates) in CONFIGS.items():
        models = set()
        for ranks in (1, 2):
            results = {False: [], True: []}
            for _ in range(2):
                for deterministic, rates in results.items():
                    rate, model = run(config, updates, ranks, deterministic)
                    rates.append(rate)
                    if deterministic:
                        models.add(model)
            usual, same = (middle["rate"] for middle in common.medians(results, ["rate"]).values())
            print(f"{name:<8}{ranks:>6}{usual:>10.1f}{same:>16.1f}{same / usual:>8.2f}", flush=True)
        print(f"{'':<8}models of the deterministic runs: {'all the same bytes' if len(models) == 1 else f'{len(models)} different ones'}\n", flush=True)


if __name__ == "__main__":
    main()
