#!/usr/bin/env python3
"""Where the time of an update goes: shares of the cores' time by kind of work, of ours and of transformers' Trainer by length, on the same rows.

    .deps/venv/bin/python benchmarks/update_profile.py > benchmarks/update_profile.txt

Full fine-tuning of MiniLM as in fine_tune.py, 2 processes of one core each, sampled by perf (which must be allowed to: kernel.perf_event_paranoid at most 2)
from some seconds behind the start to the end. `idle` is what of the two cores' time nobody used: waiting for the other process, mostly. Symbols tell the kind of work,
and a symbol that no pattern takes is `other`.
"""
import argparse
import re
import subprocess
import sys
import tempfile

import common

RATE = 299  # samples a second and core
KINDS = {
    "products": r"mkl_blas|sgemm|gemm|dnnl|jit_",
    "attention": r"sft::attend|softmax|flash_attention|attention",
    "random numbers": r"philox|keep_bits|kept|bernoulli|mkl_vsl|vsl|CPUGenerator|random",
    "norms with dropout and residual": r"add_norm|[Ll]ayer_?[Nn]orm",
    "GELU": r"[Gg]elu",
    "optimizer": r"adam",
    "sums over ranks": r"sft::combine|gloo|MPI|opal_|ompi_|mca_",
    "other tensor work of LibTorch": r"at::|c10::|torch::|VectorizedLoop|vectorized|memmove|memcpy|memset",
    "Python": r"Py|_PyEval|python",
}


def kind_of(symbol, library):
    if "kernel" in library:
        return "kernel: pages, files, scheduling"
    found = next((kind for kind, pattern in KINDS.items() if re.search(pattern, symbol)), None)
    return found or ("Python" if "python" in library else "other")


def profile(process, command, first_seconds):
    """CPU seconds by kind from `first_seconds` to the end, and the wall seconds of that time."""
    with tempfile.NamedTemporaryFile() as data:
        common.call(["perf", "record", "-q", "-F", RATE, "-e", "cpu-clock", "-D", int(first_seconds * 1000), "-o", data.name, "--", *command], threads=1)
        rows = subprocess.run(["perf", "script", "-i", data.name, "--comm", process, "-F", "time,ip,sym,dso"], capture_output=True, text=True, check=True).stdout.splitlines()
    kinds, times = {}, []
    for row in rows:
        time, rest = row.strip().split(":", 1)
        times.append(float(time))
        symbol, library = re.fullmatch(r"\s*[0-9a-f]+ (.*) \((.*)\)", rest).groups()
        kind = kind_of(symbol, library)
        kinds[kind] = kinds.get(kind, 0) + 1 / RATE
    wall = max(times) - min(times)
    kinds["idle"] = 2 * wall - sum(kinds.values())
    return kinds, wall


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=768)
    options = parser.parse_args()
    ours = [*common.mpirun(2, "--bind-to", "core"), common.PROGRAM, "configs/bert_text_classification_long.toml", f"output_dir={common.ROOT / 'runs/bench/profile'}", "overwrite_output_dir=true", "save.save_strategy=no",
            "log.progress=none", "log.logging_steps=1", "train.global_batch_size=64", f"data.max_train_samples={options.rows}", "data.test_file=[]"]
    few = common.ROOT / "runs/bench/few.jsonl"
    few.parent.mkdir(parents=True, exist_ok=True)
    few.write_text("".join((common.ROOT / "demo/data/long_test.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:16]), encoding="utf-8")
    peer = [*common.torchrun(2), "benchmarks/peer_trainer.py", "--train", "demo/data/long_train.jsonl", "--test", few, "--epochs", 1, "--learning-rate", 3e-4, "--global-batch", 64,
            "--rows", options.rows, "--group-by-length"]
    print(f"{common.machine()}; {common.versions()}\nMiniLM, {options.rows} long descriptions, batch 64 on 2 ranks × 1 thread, float32\n")
    results = {"sft-dist": profile("sft-dist", ours, 6), "Trainer by length": profile("python", peer, 30)}
    kinds = sorted({kind for told, _ in results.values() for kind in told}, key=lambda kind: (kind == "idle", -results["sft-dist"][0].get(kind, 0)))
    print(f"{'share of the cores’ time':<36}" + "".join(f"{name:>20}" for name in results))
    for kind in kinds:
        print(f"{kind:<36}" + "".join(f"{told.get(kind, 0) / sum(told.values()):>20.1%}" for told, _ in results.values()))
    print(f"{'seconds looked at':<36}" + "".join(f"{wall:>20.1f}" for _, wall in results.values()))


if __name__ == "__main__":
    sys.exit(main())
