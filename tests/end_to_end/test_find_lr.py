"""The learning-rate range test, as a user runs it, against numpy on its own numbers."""
import os
import unittest

from harness import EndToEnd


class FindLr(EndToEnd):
    def table(self, done):
        lines = done.out.splitlines()
        self.assertEqual(lines[0].split("\t"), ["learning_rate", "loss", "smoothed"])
        return [[float(value) for value in line.split("\t")] for line in lines[1:]]

    def find(self, name="run", *options, ranks=1, **sections):
        return self.succeed("find-lr", self.config(name, model={"dtype": "float64"}, **sections), "--output", self.home / f"{name}.html", *options, ranks=ranks)

    def test_number_of_ranks_changes_nothing_and_the_run_directory_is_left_alone(self):
        one, two = self.find("r1"), self.find("r2", ranks=2)
        a, b = self.table(one), self.table(two)
        self.assertEqual(len(a), len(b))
        turn = min(range(len(a)), key=lambda i: a[i][2])  # from there on each update makes rounding larger
        for i, (x, y) in enumerate(zip(a, b)):
            for left, right in zip(x, y):
                self.assertAlmostEqual(left, right, delta=(1e-9 if i <= turn else 1e-5) * max(1, abs(left)))
        for name in ("r1", "r2"):
            self.assertFalse(self.run_dir(name).exists())
            page = (self.home / f"{name}.html").read_text()
            self.assertIn("<svg", page)
            self.assertNotIn("http", page)
        self.assertEqual(sorted(os.listdir(self.home)), [".prepared", "r1.html", "r1.toml", "r2.html", "r2.toml"])

    def test_smooths_and_suggests_as_numpy_does(self):
        import numpy

        done = self.find("run", "--max-lr", "10", "--steps", "80")
        rates, losses, smoothed = numpy.array(self.table(done)).T
        numpy.testing.assert_allclose(rates, numpy.geomspace(1e-7, 10, 80)[:len(rates)], rtol=1e-9)
        mean, expected = 0.0, []
        for i, loss in enumerate(losses):
            mean = 0.9 * mean + 0.1 * loss
            expected.append(mean / (1 - 0.9 ** (i + 1)))
        numpy.testing.assert_allclose(smoothed, expected, rtol=1e-9)
        self.assertLess(len(rates), 80, "a rate of 10 is too high for anything")
        self.assertTrue(all(value <= 4 * min(smoothed[:i + 1]) for i, value in enumerate(smoothed[:-1])))
        lowest, first = int(smoothed.argmin()), max(len(rates) // 10, 1)
        slopes = numpy.gradient(smoothed, numpy.log(rates))[:lowest + 1]
        middle = (smoothed[2:] - smoothed[:-2]) / (numpy.log(rates[2:]) - numpy.log(rates[:-2]))
        numpy.testing.assert_allclose(middle[:lowest - 1], slopes[1:lowest], rtol=1e-6, atol=1e-9)
        steepest = rates[first + int(slopes[first:].argmin())]
        self.assertIn(f"optim.learning_rate={steepest:.2e}", done.err)
        self.assertIn(f"{rates[lowest] / 10:.2e}", done.err)
        self.assertIn("⠀", done.err)

    def test_trains_as_the_run_itself_would(self):
        config = self.config("train", model={"dtype": "float64"}, train={"max_steps": 1}, data={"validation_file": None, "test_file": None}, save={"save_strategy": "no"})
        self.succeed(config)
        table = self.table(self.succeed("find-lr", config, "--output", self.home / "page.html"))
        self.assertAlmostEqual(table[0][1], self.lines("train")[1], places=10)
        before = sorted((path.name, path.stat().st_mtime_ns) for path in self.run_dir("train").iterdir())
        self.succeed("find-lr", config, "--output", self.home / "page.html", "--steps", "10")
        self.assertEqual(sorted((path.name, path.stat().st_mtime_ns) for path in self.run_dir("train").iterdir()), before, "nor is a run that is there touched")

    def test_wrong_options_are_told(self):
        config = self.config()
        for options, word in ((["--min-lr", "1", "--max-lr", "0.1"], "--max-lr"), (["--output", "run.toml"], ".html"), (["--output", str(self.home / "absent" / "a.html")], "absent"), (["--steps", "1"], "--steps"), (["--min-lr", "-1"], "--min-lr")):
            done = self.run_program("find-lr", config, *options)
            self.assertIn(done.code, (2, 78), done.err)
            self.assertIn(word, done.err)


if __name__ == "__main__":
    unittest.main()
