"""Registers and spilled bytes of each kernel as ptxas tells them for sm_80 and sm_90, held to the table beside this file, in which --write puts what is so now:

    python3 tests/device/registers.py --cuda .deps/venv/lib/python3.11/site-packages/nvidia/cu13 [--write]

A kernel may have fewer of either. Skipped, aloud, where that compiler is not."""
import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = pathlib.Path(__file__).with_name("registers.txt")
ARCHITECTURES = (80, 90)
ENTRY = re.compile(r"Compiling entry function '(\S+)' for.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers", re.S)


def told(cuda, source, architecture):
    """What ptxas says of one source."""
    includes = [f"-I{each}" for each in (ROOT, cuda / "include/cccl", cuda / "include")]
    done = subprocess.run([cuda / "bin/nvcc", "-std=c++20", "-O3", *includes, "-cubin", f"-arch=sm_{architecture}", "-Xptxas", "-v", source, "-o", "/dev/null"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{source.name} for sm_{architecture}: {done.stderr[-2000:]}")
    return done.stderr


def short(names):
    """flash<64>, of mangled names with their namespaces, results and arguments."""
    plain = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout.splitlines()
    bare = (re.sub(r"\w+::|\(anonymous namespace\)::", "", name) for name in plain)
    return [re.sub(r"^void |\([^()]*\)$", "", name) for name in bare]


def kernels(cuda):
    """{(kernel, architecture): (registers, spilled bytes, stored and loaded)}."""
    sources = sorted((ROOT / "trainer/models/cuda").glob("*.cu"))
    jobs = [(source, architecture) for architecture in ARCHITECTURES for source in sources]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        words = list(pool.map(lambda job: told(cuda, *job), jobs))
    found = {}
    for (source, architecture), text in zip(jobs, words):
        entries = ENTRY.findall(text)
        for name, (_, stored, loaded, registers) in zip(short([entry[0] for entry in entries]), entries):
            key = f"{source.stem}: {name}", architecture
            if key in found:
                raise RuntimeError(f"two kernels are called {key}")
            found[key] = int(registers), int(stored) + int(loaded)
    return found


def version(cuda):
    out = subprocess.run([cuda / "bin/nvcc", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"release [\d.]+, (V[\d.]+)", out)[1]


def table_of(found, compiler):
    lines = [f"Registers a thread and bytes spilled, by nvcc {compiler}; tests/device/registers.py holds kernels to it.", "", f"{'kernel':<52}{'sm_80':>8}{'spilled':>9}{'sm_90':>8}{'spilled':>9}"]
    for name in sorted({name for name, _ in found}):
        lines.append(f"{name:<52}" + "".join(f"{found[name, a][0]:>8}{found[name, a][1]:>9}" for a in ARCHITECTURES))
    return "\n".join(lines) + "\n"


def read_table():
    rows = {}
    for line in TABLE.read_text().splitlines()[3:]:
        name, *numbers = re.fullmatch(r"(.+?) +(\d+) +(\d+) +(\d+) +(\d+)", line).groups()
        for i, architecture in enumerate(ARCHITECTURES):
            rows[name, architecture] = int(numbers[2 * i]), int(numbers[2 * i + 1])
    return rows


def worse(found, allowed):
    """A line for each kernel that is not in both, or that takes more than the table allows."""
    for name, architecture in sorted(found.keys() | allowed.keys()):
        where = f"{name} on sm_{architecture}"
        now, most = found.get((name, architecture)), allowed.get((name, architecture))
        if now is None or most is None:
            yield f"{where} is {'gone' if now is None else 'new'}: --write puts it right"
        else:
            for what, ours, limit in zip(("registers", "spilled bytes"), now, most):
                if ours > limit:
                    yield f"{where}: {ours} {what}, the table has {limit}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cuda", type=pathlib.Path, required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if not (options.cuda / "bin/nvcc").exists():
        print(f"no CUDA compiler at {options.cuda}: nothing was looked at (make gpu brings it)")
        return 77
    compiler = version(options.cuda)
    if not options.write and f"nvcc {compiler};" not in TABLE.read_text():
        print(f"the table is of another compiler than {compiler}: nothing was looked at")
        return 77
    found = kernels(options.cuda)
    if options.write:
        TABLE.write_text(table_of(found, compiler))
    wrong = list(worse(found, read_table()))
    print("\n".join(wrong) or f"{len(found) // len(ARCHITECTURES)} kernels are within the table")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    sys.exit(main())
