"""What the pages tell to type: each command, option, key and file of README and docs/ is one that the program, the Makefile or the checkout has. The tutorial's are run: test_tutorial."""
import functools
import pathlib
import re
import subprocess
import tomllib
import unittest

from harness import PROGRAM

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [page for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "slurm/README.md", *sorted((ROOT / "docs").glob("*.md"))) if page.name != "configuration.md"]
OURS = r"(?:configs|slurm|tools|benchmarks|tests|trainer|data|comm|launch|base|native|docs)"
ENDINGS = {"safetensors", "json", "jsonl", "csv", "tsv", "txt", "bin", "pt", "h5", "keras", "model", "toml", "yaml", "xml", "cpp", "h", "py", "onnx", "onnx_data"}  # model.safetensors is no key
CODE = re.compile(r"^```(?:sh|console)\n(.*?)^```$|`([^`\n]+)`", re.M | re.S)
COMMAND = re.compile(r"(?:^|[\s/])sft-dist ([a-z][a-z-]*)\b(?![.=/-])([^|>&#]*)")


def told(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=True, timeout=60).stdout


@functools.cache
def keys():
    """As section.name, from the page of them all."""
    found, section = set(), ""
    for heading, name in re.findall(r"^## (?:`\[(.+)\]`|.*)$|^\| `([a-z_0-9]+)` \|", told("help", "keys"), re.M):
        section = section if name else heading
        found |= {f"{section}.{name}".lstrip(".")} if name else set()
    return found


@functools.cache
def options(command):
    return set(re.findall(r"--[a-z][a-z-]*", told(command, "--help")))


def lines_of_code():
    for page in PAGES:
        for block, inline in CODE.findall(page.read_text()):
            for line in (block or inline).replace("\\\n", " ").replace("\\|", " ").splitlines():
                yield page, line.split("  #")[0]


class Pages(unittest.TestCase):
    def test_their_commands_and_options_are_the_programs(self):
        commands, seen = set(re.findall(r"^  ([a-z-]+) {3,}\S", told("--help"), re.M)), 0
        for page, line in lines_of_code():
            for command, rest in COMMAND.findall(line):
                self.assertIn(command, commands, f"{page.name}: {line}")
                for option in re.findall(r"(?<=[\s\[])--[a-z][a-z-]*", rest):
                    self.assertIn(option, options(command), f"{page.name}: {line}")
                seen += 1
        self.assertGreater(seen, 30)

    def test_their_keys_are_the_configs(self):
        sections, seen = {key.split(".")[0] for key in keys() if "." in key}, 0
        for page, line in lines_of_code():
            for section, name in re.findall(r"(?:^|\s)([a-z_]+)\.([a-z_0-9]+)(?=\s?=|$)", line):
                if section in sections and name not in ENDINGS:
                    self.assertIn(f"{section}.{name}", keys(), f"{page.name}: {line}")
                    seen += 1
        self.assertGreater(seen, 100)

    def test_their_configs_have_keys_that_there_are(self):
        seen = 0
        for page in PAGES:
            for block in re.findall(r"^```toml\n(.*?)^```$", page.read_text(), re.M | re.S):
                for section, values in tomllib.loads(block).items():
                    for name in values if isinstance(values, dict) and section != "sweep" else ():
                        self.assertIn(f"{section}.{name}", keys(), page.name)
                        seen += 1
        self.assertGreater(seen, 20)

    def test_their_targets_are_makes_and_their_files_exist(self):
        targets = set(re.findall(r"^([a-z][a-z0-9-]*)(?: [a-z0-9 -]*)?:", (ROOT / "Makefile").read_text(), re.M))
        targets |= {f"bench-{script.stem}" for script in (ROOT / "benchmarks").glob("*.py")} | {target for line in re.findall(r"^([a-z][a-z0-9 -]*):", (ROOT / "Makefile").read_text(), re.M) for target in line.split()}
        seen = 0
        for page, line in lines_of_code():
            for target in re.findall(r"(?:^|\s)make ([a-z][a-z0-9-]*)", line):
                self.assertIn(target, targets, f"{page.name}: {line}")
                seen += 1
            for path in re.findall(rf"(?:^|\s)({OURS}/[\w./-]*\w)(?=\s|$|:)", line):
                self.assertTrue(any(ROOT.glob(path + "*")), f"{page.name}: {path}")
                seen += 1
        self.assertGreater(seen, 60)


if __name__ == "__main__":
    unittest.main()
