"""Nobody's file is lost: no command writes over what it reads, over a device or a pipe, or removes what it did not make."""
import json
import os
import pathlib
import shutil
import socket
import stat
import unittest

from harness import EndToEnd, read_rows, write_rows


class Outputs(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.shared
        self = cls("test_predict_never_writes_over_what_it_reads")
        self.succeed(self.config("ref", train={"max_steps": 3}, data={"test_file": None}))
        cls.ref = cls.shared / "ref"

    def refuse(self, *arguments, told="--output"):
        done = self.run_program(*arguments)
        self.assertEqual(done.code, 78, done.err)
        self.assertIn(told, done.err)

    def test_predict_never_writes_over_what_it_reads(self):
        rows = self.home / "rows.jsonl"
        shutil.copy(self.shared / "test.jsonl", rows)
        os.symlink(rows, self.home / "soft.jsonl")
        os.link(rows, self.home / "hard.jsonl")
        (self.home / "folder").symlink_to(self.home)
        before = rows.read_bytes()
        for output in (rows, self.home / "soft.jsonl", self.home / "hard.jsonl", self.home / "folder" / "rows.jsonl", self.ref / "model" / "config.json", self.ref / "config.toml"):
            with self.subTest(output=output):
                kept = output.read_bytes()
                self.refuse("predict", self.ref, "--input", rows, "--output", output, told="is read by this command")
                self.assertEqual(output.read_bytes(), kept)
        self.assertEqual(rows.read_bytes(), before)
        new = self.home / "new.jsonl"
        self.refuse("predict", self.ref, "--input", rows, "--output", new, "--squad", new, told="--squad")
        page = rows.rename(self.home / "rows.html")
        self.refuse("find-lr", self.shared / "ref.toml", f"data.validation_file={page}", "--output", page, told="is read by this command")
        self.assertEqual(page.read_bytes(), before)

    def test_what_a_run_was_trained_on_is_nobodys_output(self):
        files = {name: shutil.copy(self.shared / name, self.home / f"of_run_{name}") for name in ("train.jsonl", "validation.jsonl")}
        model = shutil.copytree(self.shared / "model", self.home / "of_run")
        self.succeed(self.config("other", model={"model_name_or_path": str(model)}, train={"max_steps": 1},
                                 data={"train_file": str(self.home / "of_run_tr*.jsonl"), "validation_file": str(files["validation.jsonl"]), "test_file": None}))
        for output in (*files.values(), model / "config.json"):
            kept = pathlib.Path(output).read_bytes()
            for command in (("predict", self.run_dir("other"), "--input", self.shared / "test.jsonl"), ("report", self.run_dir("other"))):
                with self.subTest(output=output, command=command[0]):
                    self.refuse(*command, "--output", output, told="would be lost")
            self.assertEqual(pathlib.Path(output).read_bytes(), kept)
        self.refuse("predict", self.ref, "--input", self.shared / "test.jsonl", "--output", "", told="is no file")
        self.refuse("report", self.ref, "--output", "-", told="is no file")

    def test_files_that_a_run_left_are_nobodys_output(self):
        rows = self.shared / "test.jsonl"
        other = shutil.copytree(self.ref, self.home / "other")
        for name in ("metrics.jsonl", "summary.json", "config.toml", ".sft-dist", ".lock", "exit_status", "model/config.json", "checkpoint-3/model.safetensors"):
            with self.subTest(name=name):
                kept = (other / name).read_bytes()
                for command in (("predict", self.ref, "--input", rows), ("report", self.ref)):
                    self.refuse(*command, "--output", other / name, told="is a file that a run has left")
                self.assertEqual((other / name).read_bytes(), kept)
        self.succeed("report", self.ref, "--output", other / "report.html")
        self.succeed("predict", self.ref, "--input", rows, "--output", other / "mine.jsonl")

    def test_devices_pipes_and_directories_are_refused_and_links_are_followed(self):
        rows = self.shared / "test.jsonl"
        os.mkfifo(self.home / "pipe")
        (self.home / "folder").mkdir()
        places = [self.home / "pipe", self.home / "folder"]
        if os.geteuid() == 0:
            os.mknod(self.home / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            places.append(self.home / "null")
        for place in places:
            kind = place.stat().st_mode
            self.refuse("predict", self.ref, "--input", rows, "--output", place)
            self.refuse("report", self.ref, "--output", place)
            self.assertEqual(place.stat().st_mode, kind)
        self.refuse("predict", self.ref, "--input", rows, "--output", self.home / "nowhere" / "p.jsonl", told="no directory")
        self.refuse("report", self.ref, "--output", self.ref / "metrics.jsonl", told="is read by this command")
        (self.home / "target.jsonl").write_text("old\n")
        os.symlink(self.home / "target.jsonl", self.home / "link.jsonl")
        self.succeed("predict", self.ref, "--input", rows, "--output", self.home / "link.jsonl", ranks=2)
        self.assertTrue((self.home / "link.jsonl").is_symlink())
        self.assertEqual(len(read_rows(self.home / "target.jsonl")), 37)

    def test_an_export_stands_where_nothing_was(self):
        self.succeed(self.config(train={"max_steps": 1, "num_train_epochs": None}))
        (self.home / "dangling").symlink_to(self.home / "nowhere")
        (self.home / "mine").write_text("mine")
        for output, told in (("dangling", "exists already"), ("mine", "exists already"), ("mine/model", "which is no directory")):
            done = self.run_program("export", self.run_dir(), "--output", self.home / output)
            self.assertEqual(done.code, 78, done.err)
            self.assertIn(told, done.err)
        self.assertEqual([path.name for path in self.home.iterdir() if ".tmp-" in path.name], [])

    def test_nothing_is_made_among_what_this_program_may_remove(self):
        """An export, rows or a run in a checkpoint or a model would go with it, and under a name of a run's own it would be replaced."""
        rows, model = self.shared / "test.jsonl", shutil.copytree(self.shared / "model", self.home / "input")
        self.succeed(self.config("on", model={"model_name_or_path": str(model)}, train={"max_steps": 3}, data={"test_file": None}))
        (self.run_dir("on") / "away").symlink_to(self.run_dir("on") / "checkpoint-3")
        files = lambda: sorted(path for directory in (self.run_dir("on"), model) for path in directory.rglob("*"))
        before = files()
        run = self.run_dir("on")
        for output, told in ((run / "model/again", "a model that this program left"), (run / "checkpoint-3/again", "a checkpoint"), (run / "checkpoint-3/deep/er", "a checkpoint"), (run / "away/again", "a checkpoint"),
                             (run / "checkpoint-9", "is a name that the run in"), (run / "adapter/", "is a name that the run in"), (run / "events/x", "is a name that the run in"), (run / ".predictions", "is a name that the run in"),
                             (model / "again", "which is read by this command")):
            for option in ("--output", "--onnx"):
                with self.subTest(output=output, option=option):
                    self.refuse("export", run, option, output, told=told)
                    self.assertEqual(files(), before)
        for output in (run / "checkpoint-3/told.jsonl", run / "model/told.jsonl"):
            self.refuse("predict", run, "--input", rows, "--output", output, told="it would go with it")
            self.refuse("report", run, "--output", output, told="it would go with it")
        for output in (run / "checkpoint-3/run", run / "adapter"):
            self.refuse(self.config("inside", top={"output_dir": str(output)}), told="output_dir")
        self.assertEqual(files(), before)
        self.succeed("export", run, "--output", run / "mine")
        self.succeed("export", run / "model", "--output", self.home / "beside")

    def test_a_checkpoint_that_holds_a_file_of_somebody_is_not_pruned(self):
        self.succeed(self.config("kept", train={"max_steps": 1}, data={"test_file": None}))
        mine = self.run_dir("kept") / "checkpoint-1" / "notes.txt"
        mine.write_text("mine")
        done = self.succeed(self.config("kept", train={"max_steps": 6}, save={"save_strategy": "steps", "save_steps": 1, "save_total_limit": 2}, data={"test_file": None}))
        self.assertEqual(mine.read_text(), "mine")
        self.assertEqual(done.err.count("checkpoint-1 is older than save.save_total_limit = 2 keeps, and stays"), 1, done.err)
        self.assertEqual(sorted(path.name for path in self.run_dir("kept").glob("checkpoint-*")), ["checkpoint-1", "checkpoint-5", "checkpoint-6"])

    def test_only_marked_scratch_is_removed(self):
        (self.home / "o.jsonl.prepared").mkdir()
        (self.home / "o.jsonl.prepared" / "thesis.txt").write_text("mine")
        for name in ("o.jsonl.part-0", "o.jsonl.tmp"):
            (self.home / name).write_text("mine")
        foreign = self.home / f"o.jsonl.scratch-{socket.gethostname()}-4194999"  # above the highest number of a process
        foreign.mkdir()
        (foreign / "thesis.txt").write_text("mine")
        done = self.run_program("predict", self.ref, "--input", self.shared / "test.jsonl", "--output", self.home / "o.jsonl", environment={"SFT_FAILPOINTS": "predict.batch=kill"})
        self.assertNotEqual(done.code, 0)
        self.assertEqual(len(list(self.home.glob("o.jsonl.scratch-*"))), 2)
        self.succeed("predict", self.ref, "--input", self.shared / "test.jsonl", "--output", self.home / "o.jsonl", ranks=2)
        self.assertEqual(list(self.home.glob("o.jsonl.scratch-*")), [foreign])
        for path in (foreign / "thesis.txt", self.home / "o.jsonl.prepared" / "thesis.txt", self.home / "o.jsonl.part-0", self.home / "o.jsonl.tmp"):
            self.assertEqual(path.read_text(), "mine")


class RunDirectories(EndToEnd):
    def config(self, name="run", **sections):
        return super().config(name, **{"data": {"test_file": None}, "train": {"max_steps": 3}, **sections})

    def test_the_pretrained_model_is_never_what_the_run_replaces(self):
        self.run_dir().mkdir()
        shutil.copytree(self.shared / "model", self.run_dir() / "model")
        os.symlink(self.run_dir() / "model", self.home / "link")
        for path in (self.run_dir() / "model", self.home / "link"):
            done = self.run_program(self.config(model={"model_name_or_path": str(path)}))
            self.assertEqual(done.code, 78, done.err)
            self.assertIn("is read by this run", done.err)
        done = self.run_program(self.config())
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("holds 'model', which this program did not make", done.err)
        self.assertEqual((self.run_dir() / "model/model.safetensors").read_bytes(), (self.shared / "model/model.safetensors").read_bytes())

    def test_an_adapter_and_its_base_are_never_what_a_run_or_an_output_replaces(self):
        base = shutil.copytree(self.shared / "model", self.home / "base")
        lora = {"model": {"model_name_or_path": str(base)}, "lora": {"r": 2}}
        self.succeed(self.config("first", **lora))
        adapter = shutil.copytree(self.run_dir("first") / "adapter", self.run_dir() / "adapter")
        kept = {path: path.read_bytes() for path in [*adapter.iterdir(), *base.iterdir()]}
        done = self.run_program(self.config(model={"model_name_or_path": str(base), "adapter": str(adapter)}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("is read by this run", done.err)
        done = self.run_program(self.config("first", **{**lora, "top": {"overwrite_output_dir": True}, "model": {"model_name_or_path": str(base), "adapter": str(self.run_dir("first") / "adapter")}}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("is read by this run", done.err)
        self.assertTrue((self.run_dir("first") / "adapter").is_dir())
        done = self.run_program("predict", adapter, "--input", self.shared / "test.jsonl", "--output", base / "config.json")
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("is read by this command", done.err)
        self.assertEqual({path: path.read_bytes() for path in kept}, kept)

    def test_rows_that_a_run_would_replace_or_move_are_refused(self):
        self.succeed(self.config())
        rows = self.run_dir() / "predictions.jsonl"
        shutil.copy(self.shared / "train.jsonl", rows)
        for top, told in (({}, "would replace it"), ({"overwrite_output_dir": True}, "is read by this run")):
            done = self.run_program(self.config(top=top, data={"train_file": str(rows), "test_file": None}))
            self.assertEqual(done.code, 78, done.err)
            self.assertIn(told, done.err)
        inside = self.run_dir() / "mine.jsonl"
        shutil.copy(self.shared / "train.jsonl", inside)
        done = self.run_program(self.config(top={"overwrite_output_dir": True}, data={"train_file": str(inside), "test_file": None}))
        self.assertEqual(done.code, 78, done.err)
        self.assertTrue(inside.exists())

    def test_a_config_of_ones_own_in_the_output_dir_is_kept(self):
        config = self.config()
        self.run_dir().mkdir()
        own = self.run_dir() / "config.toml"
        own.write_text("# my notes\n" + config.read_text())
        done = self.run_program(own)
        self.assertEqual(done.code, 78, done.err)
        self.assertTrue(own.read_text().startswith("# my notes"))

    def unmark(self):
        """As builds left a run that made no marks."""
        for mark in (self.run_dir() / ".sft-dist", self.run_dir() / "model" / ".sft-dist"):
            mark.unlink(missing_ok=True)

    def forget_later_settings(self):
        """As the record of a build that did not have them."""
        summary = self.summary()
        for key in ("add_eos", "train_on", "chat_template"):
            del summary["training"]["settings"]["data"][key]
        (self.run_dir() / "summary.json").write_text(json.dumps(summary))

    def test_runs_of_earlier_builds_go_on(self):
        self.run_program(self.config(), environment={"SFT_FAILPOINTS": "trainer.step@2=kill"})  # before a checkpoint
        self.unmark()
        self.succeed(self.config())
        self.unmark()
        done = self.succeed(self.config(train={"max_steps": 5}))
        self.assertEqual(self.summary()["global_step"], 5)
        self.assertIn("is kept as", done.err)
        self.assertEqual(len(list(self.run_dir().glob("model.kept-*"))), 1)
        self.assertTrue((self.run_dir() / ".sft-dist").exists())
        self.unmark()
        self.forget_later_settings()
        for path in self.run_dir().glob("checkpoint-*"):
            shutil.rmtree(path)
        self.assertIn("this run is finished already", self.succeed(self.config(train={"max_steps": 5})).err)
        self.unmark()
        done = self.run_program(self.config(data={"test_file": None, "add_eos": False}, train={"max_steps": 5}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("data.add_eos was true and is false", done.err)
        self.succeed(self.config(top={"overwrite_output_dir": True, "seed": 5}))
        self.assertEqual(len(list(self.home.glob("run.old-*"))), 1)

    def test_a_directory_of_somebody_is_never_moved(self):
        self.run_dir().mkdir()
        (self.run_dir() / "report.html").write_text("mine")
        for top in ({}, {"overwrite_output_dir": True}):
            done = self.run_program(self.config(top=top))
            self.assertEqual(done.code, 78, done.err)
            self.assertIn("holds 'report.html', which this program did not make", done.err)
        (self.run_dir() / "report.html").rename(self.run_dir() / "thesis.html")
        self.succeed(self.config(top={"overwrite_output_dir": True}))
        self.assertEqual((self.run_dir() / "thesis.html").read_text(), "mine")

    def test_small_files_of_somebody_are_kept_too(self):
        for name in (".lock", "exit_status", ".starts", ".sft-dist", ".predictions"):
            with self.subTest(name=name):
                directory = self.home / f"of_{name}"
                directory.mkdir()
                (directory / name).write_text("mine")
                done = self.run_program(self.config(top={"output_dir": str(directory)}))
                self.assertEqual(done.code, 78, done.err)
                self.assertEqual((directory / name).read_text(), "mine")

    def test_a_link_to_an_output_dir_stays_one_where_its_run_is_moved_aside(self):
        (self.home / "scratch").mkdir()
        self.run_dir().symlink_to(self.home / "scratch")
        for seed in (1, 2):
            self.succeed(self.config(top={"overwrite_output_dir": True, "seed": seed}))
        self.assertTrue(self.run_dir().is_symlink())
        self.assertEqual(len(list(self.home.glob("scratch.old-*"))), 1)
        self.assertTrue((self.home / "scratch" / "model").is_dir())

    def test_a_checkpoint_of_another_program_is_never_pruned(self):
        self.succeed(self.config())
        foreign = self.run_dir() / "checkpoint-1"
        foreign.mkdir()
        (foreign / "manifest.json").write_text('{"some":"tool"}')
        (foreign / "thesis.txt").write_text("mine")
        self.succeed(self.config(train={"max_steps": 9}, save={"save_strategy": "steps", "save_steps": 1, "save_total_limit": 2}))
        self.assertEqual((foreign / "thesis.txt").read_text(), "mine")
        self.assertEqual(sorted(path.name for path in self.run_dir().glob("checkpoint-*")), ["checkpoint-1", "checkpoint-8", "checkpoint-9"])

    def test_a_model_that_was_changed_by_hand_is_kept_beside_the_new_one(self):
        self.succeed(self.config())
        self.succeed(self.config(train={"max_steps": 4}))
        self.assertEqual(list(self.run_dir().glob("model.kept-*")), [])
        for change in (lambda model: (model / "notes.txt").write_text("mine"), lambda model: (model / "config.json").write_text("{}"), lambda model: (model / ".sft-dist").unlink()):
            change(self.run_dir() / "model")
            shutil.rmtree(next(self.run_dir().glob("model.kept-*"), self.home / "none"), ignore_errors=True)
            steps = self.summary()["global_step"]
            done = self.succeed(self.config(train={"max_steps": steps + 1}))
            self.assertIn("is kept as", done.err)
            self.assertEqual(len(list(self.run_dir().glob("model.kept-*"))), 1)


if __name__ == "__main__":
    unittest.main()
