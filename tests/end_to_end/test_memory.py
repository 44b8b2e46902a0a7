"""An update in the steady state takes no new memory: neither does it keep any, however ragged the texts, nor does it fault on pages that an earlier one has had."""
import os
import pathlib
import random
import subprocess
import time
import unittest

from harness import LABELS, WORDS, EndToEnd, make_model, make_rows, write_rows

ROWS, FEW, MORE = 512, 4, 12  # rows an update; updates
ALLOCATOR_KIB = 16 * 1024
PAGES_OF_ONE_TENSOR = 4096  # 4,000 tokens × 1,024 values of 4 bytes; an update makes hundreds of the kind


class Memory(EndToEnd):
    def used(self, updates):
        model = self.shared / "wide"
        if not model.exists():
            make_model(model, hidden_size=256, intermediate_size=1024)
            write_rows(self.shared / "many.jsonl", make_rows(ROWS, 1))
        config = self.config(f"updates_{updates}", model={"model_name_or_path": str(model)}, data={"train_file": str(self.shared / "many.jsonl"), "test_file": None, "validation_file": None},
                             train={"num_train_epochs": updates, "global_batch_size": ROWS, "max_tokens_per_micro_batch": 8192}, save={"save_strategy": "no"})
        process = subprocess.Popen(self.command(config), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"})
        errors = process.stderr.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
        self.assertEqual(process.returncode, 0, errors)
        return used

    def test_an_update_takes_no_new_memory(self):
        few, more = self.used(FEW), self.used(MORE)
        self.assertLess((more.ru_minflt - few.ru_minflt) / (MORE - FEW), PAGES_OF_ONE_TENSOR / 2)
        self.assertLess(more.ru_maxrss, 1.03 * few.ru_maxrss)

    def test_memory_has_a_plateau_on_ragged_texts(self):
        """Hardly two updates have products of the same shape, and what libraries keep for each shape must not add up."""
        draw = random.Random(5)
        rows = [{"text": " ".join(draw.choice(WORDS) for _ in range(draw.randint(1, 30))), "label": draw.choice(LABELS)} for _ in range(4000)]
        write_rows(self.home / "ragged.jsonl", rows)
        config = self.config(data={"train_file": str(self.home / "ragged.jsonl"), "test_file": None, "validation_file": None}, train={"num_train_epochs": 2}, save={"save_strategy": "no"})
        process = subprocess.Popen(self.command(config), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"})
        early = late = 0
        while process.poll() is None:
            time.sleep(0.01)
            resident = [int(line.split()[1]) for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
            log = self.run_dir() / "metrics.jsonl"
            if not early and log.exists() and log.read_text().count('"loss"') >= 30:
                early = resident[0] if resident else 0
            late = resident[0] if resident else late
        errors = process.stderr.read().decode()
        process.stderr.close()
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(self.summary()["global_step"], 1000)
        # malloc takes some MiB at once, sooner or later: much beside a model this small. Without bounds it is 1.5 times.
        self.assertLess(late, 1.1 * early + ALLOCATOR_KIB)


if __name__ == "__main__":
    unittest.main()
