"""Every fuzz target for some seconds, from seeds and from what earlier runs have found worth keeping.

    run.py BUILD_DIR SECONDS [TARGET...]

What a target finds lands in BUILD_DIR/fuzz/findings, and becomes a test.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

from seeds import SEEDS

LONGEST = {"hdf5": 16384, "tables": 16384, "tokenizer": 32768}  # bytes of an input
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1", "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


def fuzz(build, name, seconds):
    """(number of inputs, the end of what was said where something was found)"""
    corpus, findings = build / "fuzz" / "corpus" / name, build / "fuzz" / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(SEEDS[name]()):
        (corpus / f"seed-{i}").write_bytes(seed)
    command = [next(build.rglob(f"fuzz_{name}")), corpus, f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", f"-max_len={LONGEST.get(name, 4096)}",
               "-print_final_stats=1", f"-artifact_prefix={findings}/{name}-"]
    target = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", env={**os.environ, **ENVIRONMENT})
    try:
        said = target.communicate()[1]
    finally:
        shutil.rmtree(f"/dev/shm/sft-fuzz-{target.pid}", ignore_errors=True)  # left where a finding ends the target
    runs = re.search(r"stat::number_of_executed_units: (\d+)", said)
    return runs.group(1) if runs else "?", (said[-3000:] or f"it ended with {target.returncode}") if target.returncode != 0 else ""


def main():
    build, seconds = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    failed = False
    for name in sys.argv[3:] or SEEDS:
        inputs, finding = fuzz(build, name, seconds)
        print(f"{name}: {inputs} inputs in {seconds} s, {'a finding' if finding else 'no finding'}", flush=True)
        if finding:
            failed = True
            print(finding, flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
