"""What a person sees who starts a run on a terminal: the bar is there under mpirun too, whose ranks have none."""
import fcntl
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
    def seen(self, words, columns=90):
        """All that a command writes to a terminal of so many columns."""
        terminal, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = {**os.environ, "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
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
        self.assertIn("\nstep ", pathlib.Path(log).read_text())


if __name__ == "__main__":
    unittest.main()
