#!/usr/bin/env python3
"""The guarantees of docs/numerics.md, measured on this machine: guarantee, task, model, worst deviation, tolerance.

    verify.py BUILD      fails where a tolerance is passed

Deviations between numbers of ranks are relative, of losses, norms, metrics and weights after 20 updates; those from transformers and torchvision are
of logits and, by norm, of every gradient, and of the losses of 20 updates (10 with adapters).
"""
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARITY = {"float32": (1e-5, 1e-4), "float64": (1e-10, 1e-9)}  # one update, the losses of 20
TASKS = {"token_classification": "token_classification", "question_answering": "question_answering", "language_models": "causal_lm"}
PICTURES = ["resnet", "vit", "vgg"]
PARITY_TESTS = ["bert", "minilm", "roberta", "distilbert", "encoders", "llama", "qwen2", "qwen3", "gpt2", "t5", "marian", "bart", "lora", "targets", *TASKS, *PICTURES]
EXACT = {
    "resume on the same ranks to the bit, on others as above": "end_to_end.test_resume",
    "deterministic = true over ranks and resumes, real mpirun": "end_to_end.test_deterministic",
    "predictions of the exported model in transformers": "end_to_end.test_train",
    "the references of scores are those of scikit-learn": "metrics_reference_is_current|targets_reference_is_current",
    "scores equal the references": "^(Confusion|LabelSets|RegressionScores|Entities|Areas)\\.",
    "targets are the ids of transformers' generate": "^parity_(translations|beams)$",
    "each sample of an evaluation counts once": "^EvalLoader\\.",
    "collectives on 8 simulated devices, a process each": "^comm_loopback_8$",
    "losses on 8 simulated GPUs, a process each, are the CPU's": "^simulated_gpus_8$",
    "a frozen tensor keeps its bytes": "^(Freeze|ChooseTrained|Replicated)\\.",
}


def equivalence(build):
    """Rows of test_equivalence."""
    with tempfile.TemporaryDirectory() as folder:
        binary = build / "tests/equivalence/test_equivalence"
        subprocess.run([binary, f"--gtest_output=json:{folder}/out.json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        suites = json.loads(pathlib.Path(folder, "out.json").read_text())["testsuites"]
    for suite in suites:
        for test in suite["testsuite"]:
            if "value_param" not in test:  # tests of the tests
                continue
            what = "ranks, micro-batches: the same" if "Invariance" in suite["name"] else "deterministic: the same bits"
            if test["name"].startswith("GradientsInFloat32"):
                what = "ranks, micro-batches: gradients, float32"
            yield what, test.get("task", "?"), f"{test.get('model', '?')}, {test['value_param']}", float(test.get("worst", "nan")), float(test.get("tolerance", "nan")), "failures" not in test


def parity_lines(build, name):
    output = subprocess.run(["ctest", "--test-dir", build, "-R", f"^{name}$", "--verbose"], capture_output=True, text=True).stdout
    if "SKIPPED" in output:
        print(f"{name} was skipped: the Python references are missing (tools/setup.sh test)")
    for line in output.splitlines():
        found = re.match(r"\d+: (ok  |FAIL) (.*): worst ([\d.e+-]+|nan)", line)
        if found:
            yield found[1] == "ok  ", found[2], float(found[3])


def subject(name, what):
    """Task and model of a line that a parity test prints."""
    words = re.split(r"[ ,:]+", what.removeprefix("case "))
    if name in PICTURES:
        return "image_classification", words[0] if name == "vit" else name
    if name == "targets":
        return words[1], "bert"
    if name == "lora":
        return "with adapters", words[0]
    if name in TASKS:
        return TASKS[name], "bert" if name == "token_classification" else words[1]
    return "its last layer" if words[3] == "all" else words[3], "bert, pretrained MiniLM" if name == "minilm" else words[1]


def parity(build):
    """Worst rows by model, task and precision."""
    worst = collections.OrderedDict()

    def take(key, error, tolerance, good):
        before = worst.get(key, (0.0, tolerance, True))
        worst[key] = (max(before[0], error), tolerance, before[2] and good)

    for name in PARITY_TESTS:
        for good, what, error in parity_lines(build, f"parity_{name}"):
            dtype = "float64" if "float64" in what else "float32"
            curve = re.search(r"\b(10|20) updates", what) is not None
            tolerance = 1.0 if name in PICTURES else PARITY[dtype][curve]
            kind = ("losses of 10 or 20 updates" if curve else "logits and gradients") + (" (share of what is allowed)" if name in PICTURES else "")
            take((f"the reference's {kind}, {dtype}", *subject(name, what)), error, tolerance, good)
    for (what, task, model), (error, tolerance, good) in worst.items():
        yield what, task, model, error, tolerance, good


def exact(build):
    for what, tests in EXACT.items():
        done = subprocess.run(["ctest", "--test-dir", build, "-C", "verify", "-R", tests], capture_output=True, text=True)
        passed = re.search(r"tests passed, (\d+) tests failed out of (\d+)", done.stdout)
        count = int(passed[2]) if passed else 0
        yield what, f"{count} tests", "all", 0.0 if done.returncode == 0 and count else float("nan"), 0.0, done.returncode == 0 and count > 0


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    failures = 0
    print(f"{'guarantee':<58} {'task':<28} {'model':<46} {'worst':>9} {'tolerance':>9}")
    for rows in (equivalence, parity, exact):
        for what, task, model, worst, tolerance, good in rows(build):
            failures += not good
            print(f"{what:<58} {task:<28} {model:<46} {worst:>9.1e} {tolerance:>9.0e}{'' if good else '  FAILED'}", flush=True)
    print("every guarantee holds" if not failures else f"{failures} guarantees FAILED")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
