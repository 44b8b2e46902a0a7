"""The scripts that fetch the demo, on package lists of a few stanzas instead of Debian's."""
import pathlib
import struct
import sys
import tempfile
import unittest

if not pathlib.Path("/usr/lib/apt/apt-helper").exists():
    print("SKIPPED: the demo's scripts were not tried, apt is not on this system")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import debian_descriptions
import debian_messages
import fetch_chat_demo
import fetch_demo
import fetch_questions_demo
import fetch_tagged_demo
import fetch_targets_demo
import fetch_summaries_demo
import fetch_translation_demo
import minilm_as

TRANSLATION = """Package: {name}
Description-md5: {name}
Description-en: {short}
 {name} does a thing that others of {section} do not,
 and does it well.
 .
 It was written by Ada Lovelace.

"""
PACKAGE = """Package: {name}
Source: {source} (1.0)
Section: {section}
Installed-Size: {size}
Tag: role::program, works-with::{section}
Description: {short}
Description-md5: {name}

"""


def catalogue_of(entries):
    """A .mo file, most significant byte first."""
    texts = [side.encode() for entry in entries for side in entry]
    tables, begin = [b"", b""], 28 + 16 * len(entries)
    for i, text in enumerate(texts):
        tables[i % 2] += struct.pack(">2I", len(text), begin)
        begin += len(text) + 1
    head = struct.pack(">7I", 0x950412DE, 0, len(entries), 28, 28 + 8 * len(entries), 0, 0)
    return head + tables[0] + tables[1] + b"".join(text + b"\0" for text in texts)


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        packages = [{"name": f"{section}-{i}", "source": f"{section}-source-{i // 2}", "section": section, "size": 10 * i, "short": f"{section} number {i}"}
                    for section, count in (("games", 300), ("mail", 200), ("rare", 3)) for i in range(count)]
        with tempfile.TemporaryDirectory() as folder:
            lists = {}
            for kind, stanza in (("Packages", PACKAGE), ("Translation-en", TRANSLATION)):
                path = pathlib.Path(folder) / kind
                path.write_text("".join(stanza.format(**package) for package in packages))
                lists[kind] = [path]
            cls.rows = debian_descriptions.descriptions(lists)

    def test_reads_what_a_package_says_of_itself(self):
        row = next(row for row in self.rows if row.package == "mail-7")
        self.assertEqual(row, debian_descriptions.Description(
            package="mail-7", source="mail-source-3", section="mail", short="mail number 7",
            text="mail number 7 mail-7 does a thing that others of mail do not, and does it well. It was written by Ada Lovelace.",
            tags=["role::program", "works-with::mail"], installed_kib=70))

    def test_sorts_sections_into_train_and_test_by_source(self):
        files = fetch_demo.sections(self.rows)
        self.assertEqual(sorted(files), ["long_test", "long_train", "short_test", "short_train"])
        self.assertEqual({row["label"] for row in files["short_train"]}, {"games", "mail"})
        self.assertEqual(len(files["short_train"]) + len(files["short_test"]), 500)
        source_of = {row.short: row.source for row in self.rows}
        train, test = ({source_of[row["text"]] for row in files[f"short_{split}"]} for split in ("train", "test"))
        self.assertFalse(train & test)
        self.assertTrue(test)

    def test_makes_rows_of_every_form_of_target(self):
        tags = fetch_targets_demo.tags(self.rows)["train"]
        self.assertTrue(all(set(row["label"]) <= {"role::program", "works-with::games", "works-with::mail"} and row["label"] for row in tags))
        sizes = fetch_targets_demo.sizes(self.rows)
        self.assertEqual(len(sizes["train"]) + len(sizes["test"]), len(self.rows) - 3, "of a size of zero there is no logarithm")
        matches = fetch_targets_demo.matches(self.rows)["train"]
        share = sum(row["label"] == "same" for row in matches) / len(matches)
        self.assertTrue(0.4 < share < 0.6, share)
        for row in matches:
            own = row["text"].replace(" number ", "-") + " does" in row["second"]
            self.assertEqual(own, row["label"] == "same", row)

    def test_asks_what_a_package_is(self):
        files = fetch_chat_demo.chats(self.rows)
        self.assertEqual(sum(map(len, files.values())), len(self.rows))
        texts = {row.package: row.text for row in self.rows}
        for messages in (row["messages"] for rows in files.values() for row in rows):
            self.assertEqual([message["role"] for message in messages], ["user", "assistant"])
            package = messages[0]["content"].removeprefix("What is the Debian package ").removesuffix("?")
            self.assertEqual(messages[1]["content"], texts[package])
        source_of = {row.text: row.source for row in self.rows}
        train, test = ({source_of[row["messages"][1]["content"]] for row in files[f"chat_{split}"]} for split in ("train", "test"))
        self.assertFalse(train & test)
        self.assertTrue(test)

    def test_tags_words_by_rule(self):
        words = "libfoo2 >= 1.4 was written by Ada Lovelace , see /etc/foo.conf and --help".split()
        self.assertEqual(fetch_tagged_demo.tag(words, {"libfoo2"}, set()),
                         ["B-PKG", "B-VER", "I-VER", "O", "O", "O", "B-PER", "I-PER", "O", "O", "B-FILE", "O", "B-CMD"])

    def test_answers_stand_where_questions_say(self):
        fields = {"Package": "qmail", "Maintainer": "Ada Lovelace <ada@example.org>", "Version": "1.06-6", "Section": "mail", "Installed-Size": "512"}
        answered, asked = set(), 0
        for number in range(40):
            made = fetch_questions_demo.paragraph({**fields, "Package": f"qmail{number}"}, "A mail system. It sends mail (1.06-6 of them). It is small.")
            for question in made["qas"] if made else []:
                asked += 1
                self.assertEqual(question["is_impossible"], not question["answers"])
                for answer in question["answers"]:
                    self.assertEqual(made["context"][answer["answer_start"]:][:len(answer["text"])], answer["text"])
                    answered.add(answer["text"])
        self.assertEqual(answered, {"Ada Lovelace", "1.06-6", "mail", "512"})
        self.assertGreater(asked, 60)

    def test_messages_are_pairs_of_english_and_chinese(self):
        entries = [("", "Content-Type: text/plain; charset=UTF-8\n"), ("_Open", "打开(_O)"), ("menu\4Sa~ve as", "另存为(~V)"), ("%d file\0%d files", "%d 个文件"),
                   ("two\nlines of it", "两\n行"), ("%s of %s", "%s"), ("untranslated", ""), ("the same", "the same"), ("snake_case_name", "名字 snake_case_name"), ("x", "字")]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "program.mo"
            path.write_bytes(catalogue_of(entries))
            found = debian_messages.pairs_in([path, path])
            path.write_bytes(b"no catalogue, but long enough to be one")
            self.assertEqual(debian_messages.pairs_in([path]), [])
        self.assertEqual(found, [("Open", "打开"), ("Save as", "另存为"), ("%d file", "%d 个文件"), ("two lines of it", "两 行"), ("snake_case_name", "名字 snake_case_name")])

    def test_translations_are_split_by_their_english_text(self):
        pairs = [(f"message number {i}", f"消息 {i}") for i in range(40_000)]
        train, validation, test = fetch_translation_demo.splits(pairs)
        self.assertEqual((len(validation), len(test)), (1000, 2000))
        self.assertEqual(sorted(train + validation + test), sorted(pairs))
        self.assertEqual(fetch_translation_demo.splits(pairs[::-1]), (train, validation, test))
        more = fetch_translation_demo.splits(pairs + [("one more", "多一个")])
        self.assertGreater(len(set(test) & set(more[2])), 1990)

    def test_summaries_are_split_by_source_package(self):
        train, validation, test = fetch_summaries_demo.splits(self.rows)
        self.assertEqual(len(train) + len(validation) + len(test), len(self.rows))
        self.assertTrue(test)
        self.assertFalse({row.source for row in train} & {row.source for row in validation + test})
        self.assertEqual(fetch_summaries_demo.splits(self.rows[::-1]), (train, validation, test))

    def test_bert_under_another_architecture_says_the_same(self):
        import torch
        from transformers import BertConfig, BertModel

        torch.manual_seed(1)
        bert = BertModel(BertConfig(vocab_size=60, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=24, initializer_range=0.5)).eval()
        for family in minilm_as.FAMILIES:
            self.assertLess(minilm_as.farthest(bert, minilm_as.converted(bert, family)), 1e-5, family)


if __name__ == "__main__":
    unittest.main()
