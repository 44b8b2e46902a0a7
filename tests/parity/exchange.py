"""How parity scripts hand a case to their tool and get its values back, and how they go through cases. Answers 77, which
is told as skipped, where torch or transformers is missing."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    import transformers  # noqa: F401
except ImportError as missing:
    print(f"SKIPPED: no parity was checked, {missing} (tools/setup.sh test brings the Python references)")
    sys.exit(77)


def hand(case, tensors, tool, read):
    """Runs the tool on a case and weights, [(name, tensor)…], in a directory; returns read(directory)."""
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        described = dict(case, config=json.loads(case["config"].to_json_string(use_diff=False)), tensors=[[name, list(value.shape)] for name, value in tensors])
        (directory / "case.json").write_text(json.dumps(described))
        (directory / "weights.bin").write_bytes(b"".join(value.detach().contiguous().numpy().tobytes() for _, value in tensors))
        subprocess.run([tool, str(directory)], check=True)
        return read(directory)


def values_in(directory, dtype):
    """All of out.bin, flat."""
    return torch.frombuffer(bytearray((directory / "out.bin").read_bytes()), dtype=getattr(torch, dtype))


def main(check, cases):
    """SCRIPT.py TOOL [first_case [cases]], where check(number, tool) tells of one case and says whether it agrees."""
    tool, *numbers = sys.argv[1:]
    first, cases = map(int, [*numbers, *(0, cases)[len(numbers):]])
    torch.set_num_threads(1)
    bad = [number for number in range(first, first + cases) if not check(number, tool)]
    print(f"{cases - len(bad)} of {cases} cases agree with transformers")
    sys.exit(1 if bad else 0)
