"""Tokens that a user has added, in each of the files in which versions of transformers have written them: its ids."""
import json
import shutil
import unittest

import h5py
from transformers import AutoTokenizer

from harness import EndToEnd, write_rows

TEXTS = ["word1 <ent> word2", "athing word3 <new>", "<ENT> Thing<ent>word4", "word5 word6"]


class AddedTokens(EndToEnd):
    def directory(self, name, added=None, bare=False, **settings):
        """A copy of the model with more in its tokenizer_config.json; `bare`: of a vocab.txt in place of a tokenizer.json."""
        model = self.home / name
        shutil.copytree(self.shared / "model", model)
        path = model / "tokenizer_config.json"
        content = json.loads(path.read_text())
        if bare:
            vocabulary = json.loads((model / "tokenizer.json").read_text())["model"]["vocab"]
            (model / "vocab.txt").write_text("".join(word + "\n" for word in sorted(vocabulary, key=vocabulary.get)))
            (model / "tokenizer.json").unlink()
            content = {key: value for key, value in content.items() if key.endswith("_token")} | {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
        path.write_text(json.dumps({**content, **settings}))
        if added:
            (model / "added_tokens.json").write_text(json.dumps(added))
        config = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps({**config, "vocab_size": 100}))
        return model

    def expect_ids_of_transformers(self, name, **changes):
        model = self.directory(name, **changes)
        write_rows(self.home / "rows.jsonl", [{"text": text, "label": str(i % 2)} for i, text in enumerate(TEXTS)])
        prepared = self.home / f"{name}.prepared"
        self.succeed("prepare", self.config(name=f"{name}-run", model={"model_name_or_path": str(model)},
                                            data={"train_file": str(self.home / "rows.jsonl"), "validation_file": None, "test_file": None, "prepared_dir": str(prepared)}))
        with h5py.File(next(prepared.rglob("*.h5"))) as shard:
            ends = shard["token_offsets"][:]
            ours = [shard["tokens"][a:b].tolist() for a, b in zip(ends, ends[1:])]
        self.assertEqual(ours, AutoTokenizer.from_pretrained(model)(TEXTS)["input_ids"], name)

    def test_every_place_where_they_are_kept(self):
        for bare in (False, True):
            kind = "bare" if bare else "whole"
            self.expect_ids_of_transformers(f"legacy-{kind}", bare=bare, added={"<ent>": 69, "<new>": 70})
            self.expect_ids_of_transformers(f"legacy-special-{kind}", bare=bare, added={"<new>": 70, "<ent>": 69}, additional_special_tokens=["<ent>"])
            self.expect_ids_of_transformers(f"additional-{kind}", bare=bare, additional_special_tokens=["thing", "<ent>"])
            self.expect_ids_of_transformers(f"extra-{kind}", bare=bare, extra_special_tokens=["<new>", "word3"])


if __name__ == "__main__":
    unittest.main()
