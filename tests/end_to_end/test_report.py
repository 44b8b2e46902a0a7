"""The page that a run leaves, as a browser would take it apart."""
import html.parser
import json
import unittest

from harness import EndToEnd, make_rows, read_rows, write_rows

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(html.parser.HTMLParser):
    """Elements by name, the text, and a complaint where one is not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text, self.problems = [], [], [], []
        self.feed(text)
        self.close()
        self.problems += [f"{name} is not closed" for name in self.open]

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_endtag(self, name):
        if not self.open or self.open.pop() != name:
            self.problems.append(f"{name} is closed out of order at {self.getpos()}")

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def all_text(self):
        return " ".join(self.text)


class Report(EndToEnd):
    def page(self, path):
        page = Page(path.read_text(encoding="utf-8"))
        self.assertEqual(page.problems, [])
        for name, attributes in page.elements:  # nothing from outside
            self.assertNotIn("src", attributes, name)
            self.assertNotIn("href", attributes, name)
        self.assertNotIn("url(", path.read_text())
        self.assertNotIn("@import", path.read_text())
        return page

    def test_finished_run_leaves_a_page_with_its_numbers(self):
        done = self.succeed(self.config(train={"num_train_epochs": 8}), ranks=2)
        self.assertIn("report.html", done.err)
        page, summary = self.page(self.run_dir() / "report.html"), self.summary()
        text = page.all_text()
        self.assertIn(f"{summary['test_metrics']['accuracy']:.4f}".rstrip("0"), text)
        for wanted in ("finished", "Loss", "validation", "gamma delta", "optim.learning_rate", "Errors by length"):
            self.assertIn(wanted, text)
        self.assertGreaterEqual(sum(name == "svg" for name, _ in page.elements), 5)
        points = [json.loads(part.split("</script>")[0]) for part in (self.run_dir() / "report.html").read_text().split('<script type="application/json">')[1:]]
        losses = [line for chart in points for line in chart.get("lines", []) if line["name"] == "validation"][0]
        self.assertEqual([step for step, _, _ in losses["points"]], list(self.lines(key="eval_loss")))

        again = self.succeed("report", self.run_dir(), "--output", self.home / "again.html", ranks=2)
        self.assertEqual((self.home / "again.html").read_text(), (self.run_dir() / "report.html").read_text(), again.err)

    def test_labels_and_texts_that_are_scripts_are_shown_and_not_run(self):
        evil = "<script>alert('x')</script>"
        rows = [{"text": row["text"] + " </script><b>", "label": evil if row["label"] == "alpha" else row["label"]} for row in make_rows(60, 4)]
        write_rows(self.home / "rows.jsonl", rows)
        self.succeed(self.config(data={"train_file": str(self.home / "rows.jsonl"), "test_file": str(self.home / "rows.jsonl"), "validation_file": None}, train={"num_train_epochs": 1}))
        page = self.page(self.run_dir() / "report.html")
        self.assertIn(evil, page.all_text())
        self.assertEqual(sum(name == "script" and attributes.get("type") is None for name, attributes in page.elements), 1)

    def test_rows_beside_their_predictions_come_from_the_run_alone(self):
        rows = make_rows(40, 5, pairs=True)
        rows[3]["text"] = " ".join(["word1"] * 70)
        write_rows(self.home / "moved.jsonl", rows)
        data = {"test_file": str(self.home / "moved.jsonl"), "text_pair_column": "second", "train_file": str(self.home / "train.jsonl"), "validation_file": None}
        write_rows(self.home / "train.jsonl", make_rows(90, 6, pairs=True))
        config = self.config(data=data, train={"num_train_epochs": 1})
        self.succeed(config, ranks=2)
        ours = read_rows(self.run_dir() / "predictions.jsonl")
        for number, (row, mine) in enumerate(zip(rows, ours, strict=True), start=1):
            self.assertEqual(list(mine), ["label", "score", "scores", "reference", "text", "characters", "place"])
            self.assertEqual(mine["reference"], row["label"])
            self.assertEqual(mine["text"], row["text"] if len(row["text"]) <= 240 else row["text"][:240] + "…")
            self.assertEqual(mine["characters"], len(row["text"]) + len(row["second"]))
            self.assertEqual(mine["place"], f"{self.home / 'moved.jsonl'}:{number}")
        self.succeed("predict", self.run_dir(), "--input", self.home / "moved.jsonl", "--output", self.home / "again.jsonl")
        self.assertEqual([list(row) for row in read_rows(self.home / "again.jsonl")], [["label", "score", "scores"]] * 40)

        page = (self.run_dir() / "report.html").read_text()
        self.assertIn("Errors by length", page)
        (self.home / "moved.jsonl").unlink()
        self.succeed("report", self.run_dir(), "--output", self.home / "again.html")
        self.assertEqual((self.home / "again.html").read_text(), page)

    def test_prepared_test_rows_without_texts_give_a_page_that_says_so(self):
        self.succeed(self.config("first", data={"test_file": None, "prepared_dir": str(self.home / "prepared")}, train={"num_train_epochs": 1}))
        [shard] = (self.home / "prepared").glob("validation-*/*.h5")
        self.succeed(self.config(data={"test_file": str(shard)}, train={"num_train_epochs": 1}))
        self.assertEqual(list(read_rows(self.run_dir() / "predictions.jsonl")[0]), ["label", "score", "scores"])
        text = self.page(self.run_dir() / "report.html").all_text()
        self.assertIn("Errors by length: predictions.jsonl has no texts and labels beside its predictions", text)

    def test_interrupted_run_and_a_directory_that_is_none(self):
        config = self.config(train={"num_train_epochs": 50})
        self.assertEqual(self.signal_at_step(config, 12).code, 75)
        self.assertFalse((self.run_dir() / "report.html").exists())
        self.succeed("report", self.run_dir())
        self.assertIn("stopped by a signal", self.page(self.run_dir() / "report.html").all_text())
        (self.run_dir() / "summary.json").unlink()
        self.succeed("report", self.run_dir())
        self.page(self.run_dir() / "report.html")
        none = self.run_program("report", self.shared)
        self.assertEqual(none.code, 78)
        self.assertEqual(len(none.err.strip().splitlines()), 1, none.err)

    def test_report_that_cannot_be_written_fails_no_run(self):
        self.succeed(self.config(train={"num_train_epochs": 1}))
        blocked = self.run_dir() / "report.html"
        blocked.unlink()
        blocked.mkdir()
        (blocked / "in_the_way").touch()
        done = self.succeed(self.config(train={"num_train_epochs": 2}))
        self.assertIn("no report", done.err)
        self.assertEqual(self.exit_status(), 0)

    def test_several_runs_side_by_side(self):
        for name, rate in (("slow", 1e-3), ("fast", 1e-2)):
            self.succeed(self.config(name, optim={"learning_rate": rate}))
        self.succeed("report", self.run_dir("slow"), self.run_dir("fast"), "--output", self.home / "both.html")
        text = self.page(self.home / "both.html").all_text()
        for wanted in ("2 runs", "slow", "fast", "optim.learning_rate", "0.01", "Validation loss"):
            self.assertIn(wanted, text)
        self.assertNotIn("train.num_train_epochs", text)

    def test_inspect_says_what_a_run_has_come_to(self):
        self.succeed(self.config())
        out = self.succeed("inspect", self.run_dir()).out
        for wanted in ("finished", "accuracy", "samples/s", "report.html", "checkpoint-"):
            self.assertIn(wanted, out)
        self.assertLess(len(out.splitlines()), 25)
        self.assertEqual(len(read_rows(self.run_dir() / "predictions.jsonl")), 37)


if __name__ == "__main__":
    unittest.main()
