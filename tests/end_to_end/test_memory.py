"""An update in the steady state takes no new memory: neither does it keep any, nor does it fault on pages that an earlier one has had."""
import os
import subprocess
import unittest

from harness import EndToEnd, make_model, make_rows, write_rows

ROWS, FEW, MORE = 512, 4, 12  # rows an update; updates
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


if __name__ == "__main__":
    unittest.main()
