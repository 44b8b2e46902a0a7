"""Nothing but the binary is needed: no Python, no network, no file of the Python environment beside LibTorch's own libraries.

Everything is run under strace with a PATH that holds no Python.
"""
import ipaddress
import os
import re
import shutil
import subprocess
import sys
import unittest

from harness import PROGRAM, EndToEnd

STRACE = shutil.which("strace")
LOCAL = {"OMPI_MCA_plm_rsh_agent": "sh"}  # mpirun insists on finding one, even where it starts nothing on another host


def cannot_trace():
    """Why strace is of no use here; "" where it is."""
    if STRACE is None:
        return "strace is not installed"
    tried = subprocess.run([STRACE, "-f", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"strace cannot trace here: {tried.stderr.strip()}"


class Alone(EndToEnd):
    def tools(self):
        """A folder with the launcher, its daemon and a shell: all of a PATH."""
        folder = self.home / "bin"
        folder.mkdir()
        for name in ("mpirun", "orted", "sh"):
            if found := shutil.which(name):
                (folder / name).symlink_to(found)
        return folder

    def traced(self, *arguments, ranks):
        """The lines of strace of a whole job, each process's apart."""
        path = self.tools() if not (self.home / "bin").exists() else self.home / "bin"
        traces = self.home / f"trace-{len(list(self.home.glob('trace-*')))}"
        traces.mkdir()
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "CONDA"))}
        command = [STRACE, "-ff", "-qq", "-s", "400", "-e", "trace=execve,connect,sendto,sendmsg,open,openat", "-e", "signal=none", "-o", str(traces / "of"), *self.command(*arguments, ranks=ranks)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, env={**environment, **LOCAL, "PATH": str(path)})
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line for file in sorted(traces.iterdir()) for line in file.read_text(errors="replace").splitlines()]

    def all_commands(self):
        config = self.config()
        rows = self.shared / "test.jsonl"
        lines = self.traced("prepare", config, ranks=2)
        lines += self.traced("train", config, ranks=2)
        lines += self.traced("predict", self.run_dir(), "--input", rows, "--output", self.home / "predictions.jsonl", ranks=2)
        lines += self.traced("export", self.run_dir(), "--output", self.home / "exported", ranks=1)
        lines += self.traced("report", self.run_dir(), "--output", self.home / "report.html", ranks=1)
        self.assertTrue((self.home / "exported" / "model.safetensors").exists())
        self.assertIn("</html>", (self.home / "report.html").read_text())
        return lines

    def test_starts_no_python_and_reaches_for_no_network(self):
        lines = self.all_commands()
        started = {match[1] for line in lines if (match := re.match(r'execve\("([^"]+)".* = 0$', line))}
        addresses = {match[1] for line in lines if (match := re.search(r'inet_(?:addr\("|pton\(AF_INET6, ")([^"]+)"', line))}
        opened = {match[1] for line in lines if (match := re.match(r'open(?:at)?\((?:AT_FDCWD, )?"([^"]+)".* = \d+', line))}
        self.assertIn(PROGRAM, started)  # the traces are what they are taken for
        self.assertTrue(any("libtorch_cpu.so" in path for path in opened))
        with self.subTest("no other language, no fetching"):
            self.assertEqual([path for path in started if re.search(r"/(python|pip|conda|perl|curl|wget)[^/]*$", path)], [])
        with self.subTest("no address but this machine's own loopback"):
            self.assertEqual([address for address in addresses if not ipaddress.ip_address(address).is_loopback and not ipaddress.ip_address(address).is_unspecified], [])
        with self.subTest("of the Python environment, shared libraries of LibTorch alone"):
            self.assertEqual([path for path in opened if "site-packages" in path and not re.search(r"/site-packages/(torch|nvidia)/.*\.so(\.[\d.]+)?$", path)], [])
            self.assertEqual([path for path in opened if re.search(r"\.pyc?$|libpython", path)], [])

    def test_each_of_three_ranks_reads_its_share_of_the_shards_alone(self):
        import h5py

        epochs = 6
        prepared = self.home / "prepared"
        self.succeed(self.config(train={"num_train_epochs": epochs}, data={"validation_file": None, "test_file": None, "prepared_dir": str(prepared)}), ranks=3)
        content = 0
        for path in prepared.rglob("*.h5"):
            with h5py.File(path) as shard:
                content += shard["tokens"].size * shard["tokens"].dtype.itemsize + 8 * len(shard["labels"])
        self.assertGreater(content, 0)
        read = self.summary()["train_bytes_read"]
        self.assertEqual(len(read), 3)
        for share in read:
            self.assertAlmostEqual(share / (epochs * content), 1 / 3, delta=0.05)


def load_tests(loader, tests, pattern):
    if why := cannot_trace():
        print(f"SKIPPED: {why}", file=sys.stderr)
        sys.exit(77)
    return tests


if __name__ == "__main__":
    unittest.main()
