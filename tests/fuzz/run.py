"""Every fuzz target for some seconds, from seeds and from what earlier runs have found worth keeping.

    run.py BUILD_DIR SECONDS [TARGET...]

Seeds are made here, so that none is fetched. What a target finds lands in BUILD_DIR/fuzz/findings, and becomes a test.
"""
import json
import os
import pathlib
import re
import subprocess
import sys


def images():
    import io

    from PIL import Image

    for mode in ("RGB", "L", "P", "RGBA"):
        for kind in ("PNG", "JPEG"):
            if kind == "JPEG" and mode in ("P", "RGBA"):
                continue
            out = io.BytesIO()
            Image.new(mode, (5, 4), 1).save(out, kind)
            yield out.getvalue()


SQUAD = {"version": "2", "data": [{"paragraphs": [{"context": "c d", "qas": [{"id": "1", "question": "q", "answers": [{"text": "d", "answer_start": 2}]}]}]}]}
SEEDS = {
    "jsonl": lambda: [b'\x40{"a": [1.5, {"b": null}], "c": "\\ud83d\\ude00"}\n\n{"a": true}\n'],
    "csv": lambda: [b'\x80a,b\n"x ""y""\n,",1\r\n\t"z\t2\n', b"\x20\xef\xbb\xbf\"a\",b\n"],
    "conll": lambda: [b"\x60-DOCSTART- O\n\n# id 1\na B-X\nb\tO\n\nc O\n"],
    "squad": lambda: [json.dumps(SQUAD).encode()],
    "images": lambda: list(images()),
}


def main():
    build, seconds = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    failed = []
    for name in sys.argv[3:] or SEEDS:
        corpus, findings = build / "fuzz" / "corpus" / name, build / "fuzz" / "findings"
        corpus.mkdir(parents=True, exist_ok=True)
        findings.mkdir(parents=True, exist_ok=True)
        for i, seed in enumerate(SEEDS[name]()):
            (corpus / f"seed-{i}").write_bytes(seed)
        done = subprocess.run([next(build.rglob(f"fuzz_{name}")), corpus, f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=4096",
                               "-print_final_stats=1", f"-artifact_prefix={findings}/{name}-"], capture_output=True, text=True, errors="replace",
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1", "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"})
        runs = re.search(r"stat::number_of_executed_units: (\d+)", done.stderr)
        print(f"{name}: {runs.group(1) if runs else '?'} inputs in {seconds} s, {'no finding' if done.returncode == 0 else 'a finding'}", flush=True)
        if done.returncode != 0:
            failed.append(name)
            print(done.stderr[-3000:], flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
