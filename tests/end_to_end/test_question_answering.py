"""Questions and the spans that answer them, from SQuAD's files to a model that transformers loads, against the scores of SQuAD and CMRC."""
import json
import random
import unittest

import squad
from harness import WORDS, EndToEnd, make_model, read_rows, write_rows
from test_families import make_family
from test_images import make_resnet


def make_questions(count, seed, nulls=True):
    """A question names a kind, and its answer is the run of words of that kind; a third of the texts has none of it, and many need several windows."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        kind = draw.choice("ab")
        own, other = (WORDS[:20], WORDS[20:40]) if kind == "a" else (WORDS[20:40], WORDS[:20])
        filler = lambda most: [draw.choice(WORDS[40:]) for _ in range(draw.randint(0, most))]
        answer = [draw.choice(own) for _ in range(draw.randint(1, 3))] if not nulls or draw.random() < 0.7 else []
        before = filler(30) + [draw.choice(other)] + filler(5)
        context = " ".join(before + answer + filler(30) + ["word59"])
        start = len(" ".join(before)) + 1
        text = " ".join(answer)
        # As people do, the second answer leaves a word out.
        answers = [(text, start)] + ([(answer[0], start)] if len(answer) > 1 else []) if answer else []
        rows.append({"id": f"q{seed}-{number}", "question": f"  {kind} {kind}", "context": context, "answers": {"text": [a for a, _ in answers], "answer_start": [s for _, s in answers]}})
    return rows


def write_squad(path, rows):
    """SQuAD 2.0's JSON, a paragraph of its own for each question."""
    paragraphs = [{"context": row["context"], "qas": [{"id": row["id"], "question": row["question"], "is_impossible": not row["answers"]["text"],
                                                       "answers": [{"text": t, "answer_start": s} for t, s in zip(row["answers"]["text"], row["answers"]["answer_start"])]}]} for row in rows]
    path.write_text(json.dumps({"version": "v2.0", "data": [{"title": "all", "paragraphs": paragraphs}]}, ensure_ascii=False))


class QuestionAnswering(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_model(cls.shared / "model", base_class=True)
        cls.train, cls.test = make_questions(120, 1), make_questions(41, 3)
        write_squad(cls.shared / "train.json", cls.train)
        write_rows(cls.shared / "validation.jsonl", make_questions(23, 2))
        write_squad(cls.shared / "test.json", cls.test)

    def config(self, name="run", **sections):
        sections["model"] = {"task": "question_answering", **sections.get("model", {})}
        sections["data"] = {"train_file": str(self.shared / "train.json"), "test_file": str(self.shared / "test.json"), "max_length": 32, "doc_stride": 8, **sections.get("data", {})}
        return super().config(name, **sections)

    def assert_scores(self, found, wanted):
        for key, value in wanted.items():
            self.assertAlmostEqual(found[key], value, places=12, msg=key)

    def test_scores_are_squads_and_transformers_answers_the_same(self):
        self.succeed(self.config(train={"num_train_epochs": 16}), ranks=3)
        ours, test = read_rows(self.run_dir() / "predictions.jsonl"), self.summary()["test_metrics"]
        answers = {row["id"]: row["answer"] for row in ours}
        self.assertEqual(list(answers), [row["id"] for row in self.test])
        self.assert_scores(test, squad.scores(self.test, answers))
        self.assertGreater(test["f1"], 0.6)
        self.assertGreater(test["no_answer_f1"], 0.3)
        self.assertGreater(test["samples"], 1.4 * len(self.test))  # windows
        for mine, row in zip(ours, self.test):
            for listed in [mine, *mine["n_best"]]:
                self.assertEqual(listed["answer"], row["context"][listed["start"]:listed["end"]] if listed["start"] >= 0 else "")
            self.assertAlmostEqual(sum(listed["probability"] for listed in mine["n_best"]), 1)

        theirs = squad.assert_answers_of_transformers(self, ours, self.run_dir() / "model", self.test, 32, 8)
        for ranks in (1, 3):
            out = json.loads(self.succeed("evaluate", self.run_dir(), "--split", "test", ranks=ranks).out)
            self.assert_scores({key[5:]: value for key, value in out.items() if key.startswith("eval_")}, squad.scores(self.test, {key: text for key, (text, _, _) in theirs.items()}))
        self.predicts_alike(ours, answers)

    def predicts_alike(self, ours, answers):
        """Rows without answers, from a run and from a model directory, whose windows are those of the run but for the overlap."""
        write_rows(self.home / "asked.jsonl", [{key: row[key] for key in ("id", "question", "context")} for row in self.test])
        for ranks in (1, 2):
            self.succeed("predict", self.run_dir(), "--input", self.home / "asked.jsonl", "--output", self.home / "out.jsonl", "--squad", self.home / "out.json", ranks=ranks)
            found = read_rows(self.home / "out.jsonl")
            self.assertEqual([row["answer"] for row in found], [row["answer"] for row in ours])
            self.assertEqual(json.loads((self.home / "out.json").read_text()), answers)
        whole = [row for row in self.test if len(row["context"].split()) < 25]
        self.assertGreater(len(whole), 3)
        write_squad(self.home / "asked.json", whole)
        self.succeed("predict", self.run_dir() / "model", "--input", self.home / "asked.json", "--output", self.home / "out.jsonl")
        self.assertEqual([row["answer"] for row in read_rows(self.home / "out.jsonl")], [answers[row["id"]] for row in whole])

    def test_the_empty_answer_is_right_where_true_ones_are_articles(self):
        rows = [{**row, "context": f"the {row['context']} a", "answers": {"text": ["the", "a"], "answer_start": [0, len(row["context"]) + 5]} if i % 2 else row["answers"]} for i, row in enumerate(make_questions(12, 4))]
        for row in rows[::2]:
            row["answers"]["answer_start"] = [start + 4 for start in row["answers"]["answer_start"]]
        write_squad(self.home / "articles.json", rows)
        data = {"train_file": str(self.home / "articles.json"), "validation_file": None, "test_file": str(self.home / "articles.json")}
        self.succeed(self.config(data=data, train={"num_train_epochs": 1}, eval={"version_2_with_negative": True, "null_score_diff_threshold": -1e9}))
        answers = {row["id"]: row["answer"] for row in read_rows(self.run_dir() / "predictions.jsonl")}
        self.assertEqual(set(answers.values()), {""})
        wanted = squad.scores(rows, answers)
        self.assertGreaterEqual(wanted["exact_match"], 0.5)
        self.assert_scores(self.summary()["test_metrics"], wanted)

    def test_number_of_ranks_and_form_of_the_file_change_no_number(self):
        write_rows(self.home / "train.jsonl", self.train)
        for name, ranks, data in (("one", 1, {}), ("three", 3, {}), ("jsonl", 2, {"train_file": str(self.home / "train.jsonl")})):
            self.succeed(self.config(name, model={"dtype": "float64"}, data=data, train={"num_train_epochs": 2}), ranks=ranks)
        for name in ("three", "jsonl"):
            for key in ("loss", "grad_norm", "eval_loss", "eval_f1", "eval_exact_match", "eval_best_f1"):
                for step, value in self.lines("one", key).items():
                    self.assertAlmostEqual(self.lines(name, key)[step], value, delta=1e-11 * max(1, abs(value)))
            self.assertEqual(self.summary(name)["test_metrics"]["f1"], self.summary("one")["test_metrics"]["f1"])

    def test_killed_run_goes_on_bitwise(self):
        saves = {"save": {"save_strategy": "steps", "save_steps": 5}, "train": {"num_train_epochs": 1}}
        self.succeed(self.config("straight", **saves), ranks=2)
        config = self.config("killed", **saves)
        self.assertNotEqual(self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@13=kill"}).code, 0)
        self.succeed(config, ranks=2)
        self.assertEqual(self.weights("killed"), self.weights("straight"))

    def test_without_null_answers_in_training_none_is_given(self):
        write_rows(self.home / "train.jsonl", make_questions(40, 5, nulls=False))
        data = {"train_file": str(self.home / "train.jsonl"), "max_train_samples": 10, "max_eval_samples": 5}
        self.succeed(self.config(data=data, train={"num_train_epochs": 1}), ranks=2)
        ours = read_rows(self.run_dir() / "predictions.jsonl")
        self.assertEqual([row["id"] for row in ours], [row["id"] for row in self.test[:5]])  # questions, not windows
        self.assertTrue(all(row["answer"] and "null_score" not in row for row in ours))
        self.assertNotIn("no_answer_f1", self.summary()["test_metrics"])
        self.assert_scores(self.summary()["test_metrics"], {key: value for key, value in squad.scores(self.test[:5], {row["id"]: row["answer"] for row in ours}).items() if key in ("exact_match", "f1")})
        theirs, _ = squad.answers_of_transformers(self.run_dir() / "model", self.test[:5], 32, 8, nulls=False)
        self.assertEqual([row["answer"] for row in ours], [theirs[row["id"]][0] for row in ours])

    def test_chinese_answers_are_scored_by_characters(self):
        draw = random.Random(7)
        rows = []
        for number in range(20):
            context = "".join(draw.choice("中国人民大学在北京城里的图书馆有很多书") for _ in range(30))
            start = draw.randint(0, 25)
            rows.append({"id": f"c{number}", "question": "谁", "context": context, "answers": {"text": [context[start:start + 4], context[start:start + 2]], "answer_start": [start, start]}})
        write_squad(self.home / "chinese.json", rows)
        self.succeed(self.config(data={"test_file": str(self.home / "chinese.json")}, train={"num_train_epochs": 1}, eval={"version_2_with_negative": False}), ranks=2)
        ours = {row["id"]: row["answer"] for row in read_rows(self.run_dir() / "predictions.jsonl")}
        f1 = [max(squad.cmrc_f1(truth, ours[row["id"]]) for truth in row["answers"]["text"]) for row in rows]
        self.assertGreater(sum(f1), 0)
        self.assertAlmostEqual(self.summary()["test_metrics"]["f1"], sum(f1) / len(f1), places=12)
        by_words = self.succeed(self.config("words", data={"test_file": str(self.home / "chinese.json")}, train={"num_train_epochs": 1}, eval={"version_2_with_negative": False, "answer_unit": "word"}), ranks=2)
        self.assertEqual(by_words.code, 0)
        self.assertAlmostEqual(self.summary("words")["test_metrics"]["f1"], squad.scores(rows, ours)["f1"], places=12)

    def test_roberta_and_distilbert_are_what_transformers_loads(self):
        for family, architecture in (("roberta", "RobertaForQuestionAnswering"), ("distilbert", "DistilBertForQuestionAnswering")):
            model = make_family(family, self.home / family, base_class=True)
            length = 60 if family == "roberta" else 32
            self.succeed(self.config(f"run-{family}", model={"model_name_or_path": str(model)}, data={"max_length": length, "validation_file": None}, train={"num_train_epochs": 1}), ranks=2)
            exported = self.run_dir(f"run-{family}") / "model"
            self.assertEqual(json.loads((exported / "config.json").read_text())["architectures"], [architecture])
            squad.assert_answers_of_transformers(self, read_rows(self.run_dir(f"run-{family}") / "predictions.jsonl"), exported, self.test, length, 8)

    def refuse(self, code, *wanted, model={}, **data):
        done = self.run_program(self.config(data={"test_file": None, **data}, model=model))
        errors = [line for line in done.err.splitlines() if "error:" in line]
        self.assertEqual((done.code, len(errors)), (code, 1), done.err)
        for word in wanted:
            self.assertIn(word, errors[0])

    def file(self, name, rows):
        write_rows(self.home / name, rows)
        return str(self.home / name)

    def test_mistakes_in_rows_are_named(self):
        good = self.train[:5]
        row = {"id": "x1", "question": "a", "context": "word1 word2", "answers": {"text": ["word2"], "answer_start": [6]}}
        moved = {**row, "answers": {"text": ["word2"], "answer_start": [5]}}
        self.refuse(79, "a.jsonl:6", "'x1'", "'word2'", "answer_start = 5", train_file=self.file("a.jsonl", good + [moved]))
        self.refuse(79, "b.jsonl:6", "'x1'", "max_length", train_file=self.file("b.jsonl", good + [{**row, "question": "a " * 40}]))
        self.refuse(79, "c.jsonl:7", "'x1'", "c.jsonl:6", train_file=self.file("c.jsonl", good + [row, {**row, "question": "b"}]))
        self.refuse(79, "d.jsonl:6", "answers", train_file=self.file("d.jsonl", good + [{key: row[key] for key in ("id", "question", "context")}]))
        self.refuse(79, "e.jsonl:1", "'id'", train_file=self.file("e.jsonl", [{key: row[key] for key in ("question", "context", "answers")}]))
        self.refuse(78, "data.text_pair_column", "context", train_file=self.file("f.jsonl", [{"id": "x", "question": "a", "passage": "word1", "answers": row["answers"]}]))
        twice = json.loads((self.shared / "train.json").read_text())
        twice["data"][0]["paragraphs"][3]["qas"][0]["id"] = twice["data"][0]["paragraphs"][1]["qas"][0]["id"]
        (self.home / "g.json").write_text(json.dumps(twice))
        self.refuse(79, "g.json", "q1-1", train_file=str(self.home / "g.json"))
        make_resnet(self.home / "resnet")
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (self.home / "resnet" / name).write_bytes((self.shared / "model" / name).read_bytes())
        self.refuse(78, "question_answering", model={"model_name_or_path": str(self.home / "resnet")})
        done = self.succeed(self.config("skip", data={"train_file": self.file("h.jsonl", good + [row, row, moved]), "on_bad_row": "skip", "test_file": None}, train={"num_train_epochs": 1}))
        self.assertIn("2 bad", done.err)


if __name__ == "__main__":
    unittest.main()
