"""`sft-dist clean`: what would go, then what goes; nothing that this program did not make."""
import os
import shutil
import subprocess
import time

from harness import EndToEnd


def tree(directory):
    """{path: bytes} of all files below, but for locks and exit codes."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file() and ".lock" not in path.name}


class Clean(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("test_what_goes_is_told_and_then_removed")
        case.home = cls.shared / "made"
        case.home.mkdir()
        case.succeed(case.config(freeze={"all_but_last": 0, "cache": "disk"}, save={"save_total_limit": 0}, eval={"load_best_model_at_end": True}))
        cls.ref = case.run_dir()

    def setUp(self):
        super().setUp()
        shutil.copytree(self.ref.parent, self.home, dirs_exist_ok=True)

    def test_what_goes_is_told_and_then_removed(self):
        before = tree(self.home)
        told = self.succeed("clean", self.run_dir())
        self.assertEqual(tree(self.home), before, "nothing is removed without --yes")
        self.assertIn("would go; --yes removes them", told.err)
        gone = {name for name in before if name.startswith(("run/checkpoint-", "run/latest", ".prepared/"))}
        self.assertGreater(len([name for name in gone if name.endswith("manifest.json")]), 2)
        self.assertGreater(len([name for name in gone if "activations-" in name]), 1)
        self.assertIn(f"{len(gone)} files", told.err)
        self.succeed("clean", self.run_dir(), "--yes", ranks=2)
        self.assertEqual(tree(self.home), {name: content for name, content in before.items() if name not in gone})
        self.assertIn("nothing that only training needed", self.succeed("clean", self.run_dir(), "--yes").out)
        self.succeed("predict", self.run_dir(), "--input", self.shared / "test.jsonl", "--output", self.home / "p.jsonl")
        self.succeed("evaluate", self.run_dir(), "--split", "test")

    def test_tellings_of_near_duplicates_and_half_prepared_rows_go_too(self):
        prepared = self.home / ".prepared"
        (prepared / "near_duplicates-0123456789abcdef.jsonl").write_text('{"place": "a:1", "nearest_train_place": "b:2", "similarity": 1.0}\n')
        (prepared / "near_duplicates-of-mine.jsonl").write_text("mine\n")
        done = self.run_program("prepare", self.config("other", data={"max_length": 11}), environment={"SFT_FAILPOINTS": "prepare.shard=kill"})
        self.assertNotEqual(done.code, 0)
        self.assertTrue(list(prepared.glob("*.partial-*")))
        self.succeed("clean", self.run_dir(), "--yes")
        self.assertEqual([path.name for path in prepared.iterdir()], ["near_duplicates-of-mine.jsonl"])

    def test_rows_of_a_run_whose_name_ends_in_a_slash_stand_beside_it(self):
        run = self.home / "alone" / "run"
        self.succeed(self.config(top={"output_dir": f"{run}/"}, train={"num_train_epochs": 1}, eval={"eval_strategy": "no"}, data={"validation_file": None, "test_file": None}))
        self.assertFalse((run / ".prepared").exists())
        self.assertTrue(list((run.parent / ".prepared").iterdir()))
        self.succeed("clean", run, "--yes")
        self.assertEqual(list((run.parent / ".prepared").iterdir()), [])

    def test_what_others_made_stays(self):
        run = self.run_dir()
        first, second, *_ = sorted(path.name for path in run.glob("checkpoint-*"))
        (run / first / "notes.txt").write_text("mine")
        shutil.copytree(self.home / "run" / second, run / "checkpoint-7777")
        (run / "checkpoint-7777" / "manifest.json").write_text("{}")
        os.rename(run / second, self.home / "elsewhere")
        os.symlink(self.home / "elsewhere", run / second)
        (self.home / ".prepared" / "thesis").mkdir()
        (self.home / ".prepared" / "thesis" / "report.json").write_text("{}")
        (self.home / ".prepared" / "activations-0123456789abcdef.safetensors").write_text("mine")
        kept = [run / first / "notes.txt", run / "checkpoint-7777" / "manifest.json", self.home / "elsewhere" / "manifest.json",
                self.home / ".prepared" / "thesis" / "report.json", self.home / ".prepared" / "activations-0123456789abcdef.safetensors"]
        before = [path.read_bytes() for path in kept]
        done = self.succeed("clean", run, "--yes")
        self.assertEqual([path.read_bytes() for path in kept], before)
        self.assertIn("it holds files that are not as this program saved them", done.out)
        self.assertIn("it is a link", done.out)
        self.assertIn("not known to be made by this program", done.out)

    def test_a_directory_without_proof_and_weights_that_changed_are_refused_or_kept(self):
        foreign = self.home / "foreign"
        (foreign / "checkpoint-3").mkdir(parents=True)
        (foreign / "config.toml").write_text('output_dir = "x"\n')
        done = self.run_program("clean", foreign, "--yes")
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("not known to be a run", done.err)
        with open(self.run_dir() / "model" / "model.safetensors", "r+b") as weights:
            weights.seek(-1, os.SEEK_END)
            last = weights.read(1)
            weights.seek(-1, os.SEEK_END)
            weights.write(bytes([last[0] ^ 1]))
        done = self.succeed("clean", self.run_dir(), "--yes")
        self.assertIn("does not hold the weights that the run left there", done.out)
        self.assertTrue(list(self.run_dir().glob("checkpoint-*/manifest.json")))

    def test_caches_stay_while_another_run_reads_them(self):
        other = self.home / "other"
        shutil.copytree(self.run_dir(), other)
        done = self.succeed("clean", self.run_dir(), "--yes")
        self.assertIn("reads there too", done.out)
        self.assertTrue(list((self.home / ".prepared").iterdir()))
        self.succeed("clean", self.run_dir(), other, "--yes")
        self.assertEqual(list((self.home / ".prepared").iterdir()), [])

    def test_a_run_in_use_is_refused_and_one_that_has_not_ended_keeps_its_checkpoints(self):
        process = subprocess.Popen(self.command(self.config("going", train={"num_train_epochs": 100}, save={"save_strategy": "steps", "save_steps": 2})),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "SFT_FAILPOINTS": "trainer.step=sleep:0.05"})
        deadline = time.time() + 60
        while time.time() < deadline and process.poll() is None and not list(self.run_dir("going").glob("checkpoint-*")):
            time.sleep(0.02)
        done = self.run_program("clean", self.run_dir("going"), "--yes")
        process.terminate()
        process.wait(60)
        self.assertEqual(done.code, 77, done.err)
        saved = tree(self.run_dir("going"))
        done = self.succeed("clean", self.run_dir("going"), "--yes")
        self.assertIn("the run has not ended", done.out)
        self.assertEqual(tree(self.run_dir("going")), saved)

    def test_what_was_trained_further_than_the_model_stays_until_the_run_has_ended_again(self):
        longer = self.config(freeze={"all_but_last": 0, "cache": "disk"}, save={"save_total_limit": 0}, eval={"load_best_model_at_end": True}, train={"num_train_epochs": 5})
        steps = max(int(path.name.split("-")[1]) for path in self.run_dir().glob("checkpoint-*"))
        self.assertNotEqual(self.run_program(longer, environment={"SFT_FAILPOINTS": f"trainer.step@{steps // 3 + 3}=kill"}).code, 0)
        self.assertGreater(max(int(path.name.split("-")[1]) for path in self.run_dir().glob("checkpoint-*")), steps)
        saved = tree(self.run_dir())
        done = self.succeed("clean", self.run_dir(), "--yes")
        self.assertIn("the run has not ended", done.out)
        self.assertEqual(tree(self.run_dir()), saved)
        self.succeed(longer)
        self.succeed("clean", self.run_dir(), "--yes")
        self.assertEqual(list(self.run_dir().glob("checkpoint-*")), [])
