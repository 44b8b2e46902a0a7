"""What a person sees who starts a run on a terminal: the bar is there under mpirun too, whose ranks have none."""
import fcntl
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import termios
import unittest

from harness import PROGRAM, EndToEnd


class OnATerminal(EndToEnd):
    def seen(self, words, columns=90, environment=None):
        """All that a command writes to a terminal of so many columns."""
        terminal, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = {**os.environ, "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", **(environment or {})}
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=end, env=environment) as process:
            os.close(end)
            text = b""
            while True:
                try:
                    piece = os.read(terminal, 4096)
                except OSError:  # nobody has the other end any more
                    break
                text += piece
            self.assertEqual(process.wait(timeout=120), 0, text.decode(errors="replace"))
        os.close(terminal)
        return text.decode()

    def test_a_bar_under_mpirun_as_alone_and_lines_in_a_file(self):
        alone = [PROGRAM, self.config("alone", log={"progress": "auto"})]
        under = ["mpirun", "-np", "2", PROGRAM, self.config("under", log={"progress": "auto"})]
        for words in (alone, under):
            text = self.seen(list(map(str, words)))
            bars = re.findall(r"\r\x1b\[K([█░]{20} [^\r\n]*)", text)
            self.assertTrue(bars, text)
            self.assertLess(max(map(len, bars)), 90)
            self.assertNotIn("\nstep ", text)
        log = self.home / "log"
        told = self.seen(["sh", "-c", 'mpirun -np 2 "$0" "$1" 2> "$2"', PROGRAM, str(self.config("file", log={"progress": "auto"})), str(log)])
        self.assertEqual(told, "")
        self.assertNotIn("\x1b", pathlib.Path(log).read_text())
        self.assertRegex(pathlib.Path(log).read_text(), r"\n\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d step ")

    def test_other_work_has_a_bar_of_its_own_under_mpirun_as_alone(self):
        slow = {"SFT_FAILPOINTS": "prepare.shard=sleep:0.12;evaluation.batch=sleep:0.12;file.append=sleep:0.02"}
        for name, launcher in (("alone", []), ("under", ["mpirun", "-np", "2"])):
            config = self.config(name, data={"prepared_dir": str(self.home / f"{name}-prepared")}, train={"num_train_epochs": 1},
                                 eval={"per_device_eval_batch_size": 4}, log={"progress": "auto"})
            text = self.seen([*launcher, PROGRAM, str(config)], environment=slow)
            for work in (r"train: prepared 1 of 1 pieces", r"evaluated \d+ of 41 samples", r"evaluated \d+ of 37 samples", r"saved \S+ KiB of \S+ KiB", r"exported \S+ KiB of \S+ KiB"):
                shown = re.findall(rf"\r\x1b\[K[█░]{{20}} {work}[^\r\n]*", text)
                self.assertTrue(shown, f"{work} of {name}: {text!r}")
            self.assertNotRegex(text, r"\dT\d\d:", "on a terminal lines have no time")
            self.assertNotRegex(text.split("finished: ")[1], "█")
            predicted = self.seen([*launcher, PROGRAM, "predict", str(self.run_dir(name)), "--input", str(self.shared / "test.jsonl"), "--output", str(self.home / f"{name}.jsonl"), "--batch-size", "4"], environment=slow)
            self.assertRegex(predicted, r"\r\x1b\[K[█░]{20} predicted \d+ of 37 samples")
            self.assertNotIn("█", predicted.rsplit("\x1b[K", 1)[1], "nothing of it stays")


class Talk(EndToEnd):
    """-q, -v, and the time of lines in a file or a pipe."""

    STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d "

    def test_lines_in_a_pipe_say_when_and_standard_output_is_left_alone(self):
        done = self.succeed(self.config(log={"progress": "lines"}), ranks=2)
        lines = [line for line in done.err.splitlines() if "[sft-dist]" in line or "step " in line]
        self.assertGreater(len(lines), 5)
        for line in lines:
            self.assertRegex(line, rf"^{self.STAMP}(\[sft-dist\]|step|evaluation|finished)")
        evaluated = self.succeed("evaluate", self.run_dir(), "-v")
        self.assertEqual(json.loads(evaluated.out)["samples"], 41)
        self.assertRegex(evaluated.err, rf"(?m)^{self.STAMP}\[sft-dist\] evaluation took ")

    def test_quiet_leaves_warnings_and_errors(self):
        config = self.config(log={"progress": "lines"}, sweep={"method": "grid"})
        for number, words in enumerate([(config, "-q"), ("--quiet", config), ("-q", "train", config), ("train", config, "--quiet")]):
            done = self.succeed(*words, f"output_dir={self.home / str(number)}", ranks=1 + number % 2)
            self.assertRegex(done.err, rf"^{self.STAMP}\[sft-dist\] warning: [^\n]*sweep has no effect[^\n]*\n$")
        wrong = self.run_program("-q", config, "optim.learning_rate=fast")
        self.assertEqual(wrong.code, 78)
        self.assertIn("error: ", wrong.err)

    def test_verbose_tells_of_ranks_phases_and_what_was_removed(self):
        done = self.succeed("-v", self.config(save={"save_total_limit": 1}), ranks=2)
        for told in (r"\[sft-dist\] rank 0 of 2 is process \d+ on \S+", r"\[sft-dist\] rank 1: rank 1 of 2 is process \d+ on ", r"device cpu, \d+ threads? a rank, gradients over mpi", r"prepare took [\d.]+s",
                     r"load took ", r"export took ", r"removed \S+/checkpoint-12: save.save_total_limit = 1"):
            self.assertRegex(done.err, told)
        usual = self.succeed(self.config("usual"))
        self.assertNotIn(" took ", usual.err)
        both = self.run_program(self.config("both"), "-q", "-v")
        self.assertEqual(both.code, 2, both.err)
        self.assertIn("--quiet", both.err)

    def test_every_command_knows_both(self):
        told = self.succeed("--help").out
        names = re.findall(r"^  ([a-z][a-z-]*)  ", told.split("\nSubcommands:\n", 1)[1], re.M)
        self.assertIn("doctor", names)
        for name in names:
            help_text = self.succeed(name, "--help").out
            self.assertRegex(help_text, r"-q,\s*--quiet", name)
            self.assertRegex(help_text, r"-v,\s*--verbose", name)


if __name__ == "__main__":
    unittest.main()
