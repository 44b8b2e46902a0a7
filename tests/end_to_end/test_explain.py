"""predict --explain, against autograd through transformers' model with the same weights; where captum (0.9) is installed, against captum too."""
import importlib.util
import json
import random
import unittest

from harness import EndToEnd, make_model, read_rows, write_rows
from test_encoders import make_encoder
from test_families import make_family

# The module whose output is what our stage 0 gives.
EMBEDDINGS = {"bert": "bert.embeddings", "roberta": "roberta.embeddings", "distilbert": "distilbert.embeddings", "electra": "electra.embeddings_project", "albert": "albert.encoder.embedding_hidden_mapping_in",
              "modernbert": "model.embeddings", "deberta": "deberta.embeddings"}


class Reference:
    """One text at a time, never padded."""

    def __init__(self, directory, family):
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(directory)
        self.model = AutoModelForSequenceClassification.from_pretrained(directory).eval()
        self.layer = self.model.get_submodule(EMBEDDINGS[family])

    def encoded(self, text):
        """Ids, and which of text.split() each token is of; None: a special token."""
        encoded = self.tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
        words = [None if special else text[:end - 1].count(" ") for (_, end), special in zip(encoded["offset_mapping"], encoded["special_tokens_mask"])]
        return encoded["input_ids"], words

    def hidden(self, ids, words, which):
        return [self.tokenizer.mask_token_id if which(word) else token for token, word in zip(ids, words)]

    def run(self, ids, embedded=None):
        """Logits [K], and what the embedding layer gave, or is made to give."""
        import torch

        seen = []

        def hook(module, inputs, output):
            seen.append(output if embedded is None else embedded)
            return seen[-1]

        handle = self.layer.register_forward_hook(hook)
        try:
            return self.model(input_ids=torch.tensor([ids])).logits[0], seen[0]
        finally:
            handle.remove()

    def slope(self, ids, embedded, label):
        import torch

        leaf = embedded.detach().requires_grad_()
        return torch.autograd.grad(self.run(ids, leaf)[0][label], leaf)[0]

    def of_words(self, of_tokens, words):
        scores = [0.0] * (1 + max(word for word in words if word is not None))
        for score, word in zip(of_tokens.tolist(), words):
            if word is not None:
                scores[word] += score
        return scores

    def gradient(self, ids, words, label):
        embedded = self.run(ids)[1]
        return self.of_words((self.slope(ids, embedded, label) * embedded).sum(-1)[0], words)

    def integrated(self, ids, words, label):
        import numpy

        start, end = self.run(self.hidden(ids, words, lambda word: word is not None))[1].detach(), self.run(ids)[1].detach()
        places, weights = numpy.polynomial.legendre.leggauss(32)
        mean = sum(weight / 2 * self.slope(ids, start + (1 + place) / 2 * (end - start), label) for place, weight in zip(places, weights))
        return self.of_words(((end - start) * mean).sum(-1)[0], words)

    def occlusion(self, ids, words, label):
        import torch

        def probability(ids):
            with torch.no_grad():
                return torch.softmax(self.run(ids)[0].double(), -1)[label].item()

        count = 1 + max(word for word in words if word is not None)
        return [probability(ids) - probability(self.hidden(ids, words, lambda word: word == hidden)) for hidden in range(count)]

    def captum(self, ids, words, label):
        """{way: scores}, by the library; none where it is missing."""
        if importlib.util.find_spec("captum") is None:
            return {}
        import torch
        from captum.attr import LayerGradientXActivation, LayerIntegratedGradients

        def logits(ids):
            return self.model(input_ids=ids).logits

        tokens, start = torch.tensor([ids]), torch.tensor([self.hidden(ids, words, lambda word: word is not None)])
        integrated = LayerIntegratedGradients(logits, self.layer).attribute(tokens, baselines=start, target=label, n_steps=32)
        gradient = LayerGradientXActivation(logits, self.layer).attribute(tokens, target=label)
        return {"integrated": self.of_words(integrated.sum(-1)[0], words), "gradient": self.of_words(gradient.sum(-1)[0], words)}


def classifier_of(base):
    """The base model with a random head, labels by number."""
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(5)
    AutoModelForSequenceClassification.from_pretrained(base, num_labels=3).save_pretrained(base)
    return base


class Explain(EndToEnd):
    def explained(self, model, way, rows="rows.jsonl", ranks=1, name="out"):
        self.succeed("predict", model, "--input", self.home / rows, "--output", self.home / f"{name}.jsonl", "--explain", way, ranks=ranks)
        return read_rows(self.home / f"{name}.jsonl")

    def assert_near(self, ours, theirs, relative):
        scale = max(map(abs, theirs))
        for mine, reference in zip(ours, theirs, strict=True):
            self.assertAlmostEqual(mine, reference, delta=relative * scale)

    def test_each_way_is_autograds_through_transformers_model_of_every_family(self):
        rows = read_rows(self.shared / "test.jsonl")[:3]
        write_rows(self.home / "rows.jsonl", rows)
        models = {"bert": make_model(self.home / "bert")}
        models |= {family: make_family(family, self.home / family) for family in ("roberta", "distilbert")}
        models |= {family: classifier_of(make_encoder(family, self.home / family)) for family in ("electra", "albert", "modernbert", "deberta")}
        for family, model in models.items():
            reference = Reference(model, family)
            ways = ("integrated",) if family in ("distilbert", "electra", "albert") else ("gradient", "integrated", "occlusion")
            told = {way: self.explained(model, way) for way in ways}
            for i, row in enumerate(rows):
                ids, words = reference.encoded(row["text"])
                label = reference.model.config.label2id[told["integrated"][i]["label"]]
                for way, ours in told.items():
                    with self.subTest(family=family, way=way, row=i):
                        explanation = ours[i]["explanation"]
                        self.assertEqual(explanation["by"], way)
                        self.assertEqual(explanation["words"], row["text"].split())
                        self.assert_near(explanation["scores"], getattr(reference, way)(ids, words, label), 2e-3)
                        self.assertEqual("convergence_delta" in explanation, way == "integrated")
                for way, theirs in (reference.captum(ids, words, label) if family in ("bert", "roberta") else {}).items():
                    self.assert_near(told[way][i]["explanation"]["scores"], theirs, 2e-3)
                self.assertLess(abs(told["integrated"][i]["explanation"]["convergence_delta"]), 1e-2)

    def test_the_label_that_a_tuned_threshold_gives_is_explained(self):
        model = make_model(self.home / "two", labels=["no", "yes"], num_labels=2)
        write_rows(self.home / "rows.jsonl", read_rows(self.shared / "test.jsonl")[:6])
        probabilities = sorted(row["scores"]["yes"] for row in self.explained(model, "occlusion"))
        config = json.loads((model / "config.json").read_text())
        for threshold in ((probabilities[2] + probabilities[3]) / 2, 0.0, 1.0):  # at 0 all are yes, at 1 none is
            (model / "config.json").write_text(json.dumps({**config, "sft_dist_thresholds": {"yes": threshold}}))
            reference, unlikely = Reference(model, "bert"), 0
            for way in ("gradient", "integrated", "occlusion"):
                for given, row in zip(read_rows(self.home / "rows.jsonl"), self.explained(model, way), strict=True):
                    self.assertEqual(row["label"], "yes" if row["scores"]["yes"] > threshold else "no")
                    unlikely += row["score"] < 0.5
                    ids, words = reference.encoded(given["text"])
                    self.assert_near(row["explanation"]["scores"], getattr(reference, way)(ids, words, ["no", "yes"].index(row["label"])), 2e-3)
            self.assertGreaterEqual(unlikely, 1 if 0 < threshold < 1 else 3 * sum((p < 0.5) == (threshold == 0) for p in probabilities))

    def test_scores_are_the_same_on_two_ranks_and_with_pairs_and_kept_columns(self):
        write_rows(self.home / "rows.jsonl", [{"text": "word1 word2s word3", "second": "word4 a"}, {"text": "word5", "second": "word6"}])
        options = ["predict", self.shared / "model", "--input", self.home / "rows.jsonl", "--text-pair-column", "second", "--keep", "text", "--explain", "occlusion"]
        self.succeed(*options, "--output", self.home / "one.jsonl")
        self.succeed(*options, "--output", self.home / "two.jsonl", ranks=2)
        one, two = read_rows(self.home / "one.jsonl"), read_rows(self.home / "two.jsonl")
        self.assertEqual(one[0]["explanation"]["words"], ["word1", "word2s", "word3", "word4", "a"])
        for a, b in zip(one, two, strict=True):
            self.assertEqual(a["explanation"]["words"], b["explanation"]["words"])
            self.assert_near(a["explanation"]["scores"], b["explanation"]["scores"], 1e-4)

    def test_deleting_the_words_that_it_names_lowers_the_probability_more_than_deleting_others(self):
        self.succeed(self.config(data={"validation_file": None, "test_file": None}))
        model = self.run_dir() / "model"
        rows = [row for row in read_rows(self.shared / "test.jsonl") if len(row["text"].split()) >= 6]
        write_rows(self.home / "rows.jsonl", rows)
        draw = random.Random(1)
        for way in ("gradient", "integrated", "occlusion"):
            whole = self.explained(model, way)
            left = {"top": [], "random": []}
            for row in whole:
                words, scores = row["explanation"]["words"], row["explanation"]["scores"]
                order = sorted(range(len(words)), key=lambda i: -scores[i])
                for how, gone in (("top", order[:2]), ("random", draw.sample(order, 2))):
                    left[how].append({"text": " ".join(word for i, word in enumerate(words) if i not in gone)})
            falls = {}
            for how, texts in left.items():
                write_rows(self.home / f"{how}.jsonl", texts)
                self.succeed("predict", model, "--input", self.home / f"{how}.jsonl", "--output", self.home / "left.jsonl")
                falls[how] = sum(before["score"] - after["scores"][before["label"]] for before, after in zip(whole, read_rows(self.home / "left.jsonl"))) / len(whole)
            self.assertGreater(falls["top"], 2 * max(falls["random"], 0), (way, falls))
            self.assertGreater(falls["top"], 0.02, (way, falls))

    def test_a_runs_test_rows_are_explained_as_predict_does_and_the_report_colours_mistakes(self):
        write_rows(self.home / "test.jsonl", [{**row, "label": "alpha"} for row in read_rows(self.shared / "test.jsonl")])  # most are mistakes then
        config = self.config(data={"test_file": str(self.home / "test.jsonl")}, eval={"explain": "gradient"})
        self.succeed(config, ranks=2)
        told = read_rows(self.run_dir() / "predictions.jsonl")
        again = self.explained(self.run_dir(), "gradient", rows="test.jsonl")
        for a, b in zip(told, again, strict=True):
            self.assertEqual(a["explanation"]["words"], b["explanation"]["words"])
            self.assert_near(a["explanation"]["scores"], b["explanation"]["scores"], 1e-3)
        surest = max((row for row in told if row["label"] != row["reference"]), key=lambda row: row["score"])["explanation"]
        page, strongest = (self.run_dir() / "report.html").read_text(), max(surest["scores"], key=abs)
        word = surest["words"][surest["scores"].index(strongest)]
        self.assertRegex(page, rf'<span class="{"for" if strongest > 0 else "against"}" style="--s:100%" title="[^"]+">{word}</span>')
        self.assertIn("Coloured words speak", page)
        rows = read_rows(self.shared / "train.jsonl")
        write_rows(self.home / "numbers.jsonl", [{"text": row["text"], "label": i / 7} for i, row in enumerate(rows)])
        done = self.run_program(self.config("wrong", data={"train_file": str(self.home / "numbers.jsonl"), "validation_file": None, "test_file": str(self.home / "numbers.jsonl")}, eval={"explain": "gradient"}, model={"ignore_mismatched_sizes": True}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("eval.explain is for models that give a row one label, and this model (bert) is for text_classification of regression", done.err)

    def test_other_tasks_are_refused_by_name(self):
        write_rows(self.home / "rows.jsonl", [{"text": "word1 word2"}])
        model = make_model(self.home / "sets")
        config = json.loads((model / "config.json").read_text())
        for problem, told in (("multi_label_classification", "is for text_classification of multi_label_classification"), ("regression", "is for text_classification of regression")):
            (model / "config.json").write_text(json.dumps({**config, "problem_type": problem}))
            done = self.run_program("predict", model, "--input", self.home / "rows.jsonl", "--output", self.home / "out.jsonl", "--explain", "gradient")
            self.assertEqual(done.code, 78, done.err)
            self.assertIn(told, done.err)
        self.assertEqual(self.run_program("predict", model, "--input", self.home / "rows.jsonl", "--output", self.home / "out.jsonl", "--explain", "magic").code, 2)


if __name__ == "__main__":
    unittest.main()
