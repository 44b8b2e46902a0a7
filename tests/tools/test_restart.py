"""tools/restart.sh: what is started again, how often, and what is cleared away, with shell scripts in the program's place."""
import os
import pathlib
import subprocess
import tempfile
import unittest

RESTART = pathlib.Path(__file__).resolve().parents[2] / "tools" / "restart.sh"


class Restart(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def restarted(self, script, **environment):
        """Its code and how many starts it made of a script that counts them in $n."""
        (self.folder / "count").write_text("0")
        program = self.folder / "program"
        program.write_text(f'#!/bin/bash\nn=$(($(cat {self.folder}/count) + 1)); echo $n > {self.folder}/count\nend() {{ echo "$1" > "$SFT_EXIT_STATUS"; exit 1; }}\n{script}\n')
        program.chmod(0o755)
        done = subprocess.run([RESTART, program], capture_output=True, text=True, timeout=60, env={**os.environ, "PAUSE": "0", "TMPDIR": str(self.folder), **environment})
        self.assertEqual([*self.folder.glob("sft-exit*"), *self.folder.glob("ompi.*/*")], [])
        return done.returncode, int((self.folder / "count").read_text())

    def test_what_another_start_mends_is_started_again(self):
        for code in (69, 75, 76, 81, 82):
            self.assertEqual(self.restarted(f"[ $n = 3 ] || end {code}"), (0, 3), code)

    def test_what_would_come_again_is_not(self):
        for code in (2, 70, 77, 78, 79, 80, 93):
            self.assertEqual(self.restarted(f"end {code}"), (code, 1))

    def test_a_killed_run_is_started_again(self):
        self.assertEqual(self.restarted("[ $n = 2 ] && exit; kill -9 $$"), (0, 2))

    def test_what_cannot_be_started_is_tried_three_times(self):
        self.assertEqual(self.restarted("exit 127"), (127, 3))

    def test_restarts_are_bounded(self):
        self.assertEqual(self.restarted("end 76", RESTARTS="4"), (76, 5))

    def test_a_signal_asks_the_run_to_stop_and_is_the_last(self):
        for signal in ("INT", "TERM"):
            self.assertEqual(self.restarted(f"trap 'kill $child; end 75' USR2; sleep 30 & child=$!; kill -{signal} $PPID; wait"), (75, 1))

    def test_what_a_killed_launcher_left_is_removed(self):
        session = f"{self.folder}/ompi.host.{os.getuid()}/pid.$$"
        memory = f"/dev/shm/vader_segment.sft-test.{os.getuid()}"
        job = os.getpid() << 16  # as no launcher has it at once with this process
        self.addCleanup(lambda: [path.unlink() for path in pathlib.Path("/dev/shm").glob("vader_segment.sft-test.*")])
        self.restarted(f"[ $n = 2 ] && exit; mkdir -p {session}; echo '{job}.0;tcp://' > {session}/contact.txt; touch {memory}.{job + 1:x}.0 {memory}.{job + 2:x}.0; kill -9 $$")
        self.assertEqual([path.name for path in pathlib.Path("/dev/shm").glob("vader_segment.sft-test.*")], [f"vader_segment.sft-test.{os.getuid()}.{job + 2:x}.0"])


if __name__ == "__main__":
    unittest.main()
