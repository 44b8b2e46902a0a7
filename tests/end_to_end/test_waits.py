"""How often the host of a GPU waits for it in an update, on GPUs that need no GPU: not once between logging lines, but to hear whether the update before the last was finite, for which
the device need not stop."""
import unittest

import test_language_models
import test_question_answering
import test_token_classification
from harness import make_rows, write_rows
from simulated import SimulatedRuns

LATE = {"an event with work behind it": 1}  # the norm of the update before, by which a device has left that out or not


class Waits(SimulatedRuns):
    def waits_an_update(self, name, **sections):
        """Between logging lines, by what for: a run of 100 updates more tells. Its start measures the device's peak with as many waits as the time has it, so single ones are none of an update."""
        told = []
        for steps in (2, 102):
            only_train = {**sections, "data": {**sections.get("data", {}), "validation_file": None, "test_file": None}}
            told += self.train(f"{name}-{steps}", **{**only_train, "train": {"num_train_epochs": None, "max_steps": steps, **sections.get("train", {})}, "log": {"logging_steps": 1000}, "save": {"save_strategy": "no"}})
        few, many = (each["waits"] for each in told)
        waits = {why: (many.get(why, 0) - few.get(why, 0)) / 100 for why in many}
        return {why: round(count) if abs(count - round(count)) <= 0.15 else count for why, count in waits.items() if abs(count) > 0.15}

    def rows(self, rows, **data):
        write_rows(self.home / "rows.jsonl", rows)
        return {"train_file": str(self.home / "rows.jsonl"), **data}

    def test_texts(self):
        self.assertEqual(self.waits_an_update("texts"), LATE)
        self.assertEqual(self.waits_an_update("penalties", train={"l1": 1e-4, "l2": 1e-4, "l2_from_start": 1e-4}), LATE)
        self.assertEqual(self.waits_an_update("parts", train={"global_batch_size": None, "per_device_train_batch_size": 3, "gradient_accumulation_steps": 3}, optim={"optim": "sgd"}), LATE)

    # Keras adds its epsilon to a sum whose correction needs the number of updates on the host.
    def test_kerass_epsilon_waits_for_the_count_of_updates(self):
        self.assertEqual(self.waits_an_update("texts", optim={"adam_epsilon_style": "keras"}), {**LATE, "item": 1})

    def test_images(self):
        sections = self.images()
        for batch_norm in ("frozen", "local", "synchronized"):
            self.assertEqual(self.waits_an_update(batch_norm, **{**sections, "train": {"batch_norm": batch_norm}}), LATE, batch_norm)

    def test_tags_of_words(self):
        data = self.rows(test_token_classification.make_tagged(40, 1), max_length=48)
        self.assertEqual(self.waits_an_update("tags", model={"task": "token_classification", "ignore_mismatched_sizes": True}, data=data), LATE)

    def test_sets_and_numbers(self):
        rows = [{"text": row["text"], "label": [row["label"]]} for row in make_rows(40, 4)]
        self.assertEqual(self.waits_an_update("sets", data=self.rows(rows)), LATE)
        rows = [{"text": row["text"], "label": len(row["text"]) / 50} for row in make_rows(40, 4)]
        self.assertEqual(self.waits_an_update("numbers", model={"ignore_mismatched_sizes": True}, data=self.rows(rows)), LATE)

    def test_questions(self):
        data = self.rows(test_question_answering.make_questions(40, 1), max_length=32, doc_stride=8)
        self.assertEqual(self.waits_an_update("questions", model={"task": "question_answering"}, data=data), LATE)

    def test_language_models(self):
        test_language_models.make_chat_model("llama", self.home / "llama")
        data = self.rows(test_language_models.make_chats(40, 1), max_length=160)
        self.assertEqual(self.waits_an_update("chats", model={"task": "causal_lm", "model_name_or_path": str(self.home / "llama")}, data=data), LATE)


if __name__ == "__main__":
    unittest.main()
