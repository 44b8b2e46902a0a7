// Options of what looks at runs and their rows.
#include "launch/command_line/options.h"

namespace sft {

void declare_report(CLI::App& app, Arguments& a) {
  CLI::App* report =
      add_command(app, "report",
                  "One self-contained HTML page: metrics, curves, errors by class and length, settings; of several "
                  "runs, side by side.",
                  "  sft-dist report runs/sections\n"
                  "  sft-dist report runs/first runs/second --output comparison.html\n"
                  "  sft-dist report runs/sweep --output sweep.html\n"
                  "  sft-dist report runs/first --suspicious first.suspicious.jsonl");
  report->add_option("RUN_DIR", a.inputs, "run directories; a folder of runs stands for all in it")
      ->required()
      ->type_name("DIR");
  report->add_option("--output", a.output, "page to write; default: RUN_DIR/report.html, of several ./report.html")
      ->type_name("FILE");
  report
      ->add_option("--suspicious", a.forms["--suspicious"], "rows that `noise --folds` found, for the page of one run")
      ->type_name("FILE");
}

void declare_clean(CLI::App& app, Arguments& a) {
  CLI::App* clean = add_command(
      app, "clean", "What only training needed of runs that have ended: checkpoints, caches, partial files.",
      "  sft-dist clean runs/sections          says what would go\n"
      "  sft-dist clean runs/sections --yes    removes it\n"
      "  sft-dist clean runs/* --yes           with the prepared rows that these runs alone read\n"
      "Model, results, logs and report stay, and whatever this program did not make.");
  clean->add_option("RUN_DIR", a.inputs, "run directories; a folder of runs, as a sweep's, stands for all in it")
      ->required()
      ->type_name("DIR");
  clean->add_flag("--yes", a.yes, "remove what is listed");
}

void declare_noise(CLI::App& app, Arguments& a) {
  CLI::App* noise = add_command(
      app, "noise",
      "Which labels of the training rows are likely wrong? Each fold of them is judged by a model that "
      "is trained on the others; of a run with train.record_margins, by what its model thought in its epochs.",
      "  mpirun -np 2 sft-dist noise run.toml\n"
      "  sft-dist noise runs/first\n"
      "  sft-dist noise run.toml --folds 10 --output suspicious.jsonl train.num_train_epochs=2");
  takes_config(noise, a);
  noise
      ->add_option("--folds", a.folds,
                   "parts that the rows are cut into, by their content; default: 5, of a run with margins none")
      ->check(CLI::Range(int64_t{2}, int64_t{100}));
  noise
      ->add_option("--probabilities", a.forms["--probabilities"],
                   "with folds: also write what they give each row, JSON Lines for cleanlab and others")
      ->type_name("FILE");
  noise->add_option("--output", a.output, "JSON Lines to write; default: CONFIG's name with .suspicious.jsonl, here")
      ->type_name("FILE");
}

void declare_inspect(CLI::App& app, Arguments& a) {
  CLI::App* inspect =
      add_command(app, "inspect", "What a run has come to, or what a checkpoint, HDF5 shard or safetensors file holds.",
                  "  sft-dist inspect runs/sections\n"
                  "  sft-dist inspect runs/sections/checkpoint-126 --verify\n"
                  "  sft-dist inspect model.safetensors");
  inspect->add_option("PATH", a.target, "file or directory")->required()->type_name("PATH");
  inspect->add_flag("--verify", a.verify,
                    "read everything: of checkpoints and shards the checksums; of a model the numbers, names and "
                    "shapes of its weights, and the tokenizer's ids");
}

}  // namespace sft
