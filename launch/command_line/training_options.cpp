// Options of what trains, or gets ready to.
#include "launch/command_line/options.h"
#include "trainer/planning/kinds.h"

namespace sft {

void declare_train(CLI::App& app, Arguments& a) {
  CLI::App* train = add_command(app, "train", "Train, evaluate, checkpoint, and export the final or best model.",
                                "  mpirun -np 2 sft-dist train run.toml\n"
                                "  sft-dist train run.toml --dry-run\n"
                                "  mpirun -np 8 sft-dist run.toml --learning_rate 3e-5 output_dir=runs/slower\n"
                                "The same command again goes on from the newest checkpoint, on any number of ranks.");
  takes_config(train, a);
  train->add_flag("--dry-run", a.dry_run,
                  "build everything, print the resolved config and the number of updates, train nothing");
}

void declare_prepare(CLI::App& app, Arguments& a) {
  CLI::App* prepare = add_command(
      app, "prepare", "Tokenize the raw files of a config into HDF5 shards ahead of `train`, which else does it.",
      "  mpirun -np 2 sft-dist prepare run.toml\n"
      "  sft-dist prepare run.toml data.max_length=256\n"
      "  sft-dist prepare run.toml --show 3");
  takes_config(prepare, a);
  prepare
      ->add_option("--show", a.show,
                   "print the first N training samples as text, with what language models learn of them marked")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
}

void declare_sweep(CLI::App& app, Arguments& a) {
  CLI::App* sweep = add_command(
      app, "sweep", "Many runs from one file: grid, random, list or a search; ends in one table and one report.",
      "  sft-dist sweep sweep.toml --list\n"
      "  mpirun -np 2 sft-dist sweep sweep.toml\n"
      "  sft-dist sweep sweep.toml --index $SLURM_ARRAY_TASK_ID\n"
      "The [sweep] table of the config:\n"
      "  method = \"grid\"                             all combinations; list: the i-th values together; random; tpe\n"
      "  num_trials = 20                             of random and tpe\n"
      "  num_startup_trials = 10                     of tpe: drawn at random before it searches\n"
      "  pruning = { reduction_factor = 3 }          give up trials that others were better than at the same "
      "evaluation\n"
      "  trials_per_round = 4                        of tpe and pruning: as many know nothing of each other (an "
      "array)\n"
      "  [sweep.parameters]\n"
      "  \"optim.learning_rate\" = [1e-5, 3e-5]       any key of the config, in quotes where it has a dot\n"
      "  \"optim.learning_rate\" = { min = 1e-5, max = 1e-3, scale = \"log\" }   of random, tpe; scale: linear, log\n"
      "A trial is a run in output_dir/<its settings>: one that is there already is compared, and goes on or is kept.");
  takes_config(sweep, a, "a run config with a [sweep] table");
  sweep->add_option("--index", a.index, "run this trial only");
  sweep->add_flag("--list", a.list, "print the trials and run none");
  sweep->add_flag("--slurm", a.slurm, "print the sbatch commands of an array of the trials and of the table behind it");
}

void declare_find_lr(CLI::App& app, Arguments& a) {
  CLI::App* find_lr = add_command(
      app, "find-lr", "Learning-rate range test: table, plot, suggestion; nothing is saved in the run's directory.",
      "  mpirun -np 2 sft-dist find-lr run.toml\n  sft-dist find-lr run.toml --max-lr 0.1 --steps 200 > rates.tsv");
  takes_config(find_lr, a);
  find_lr->add_option("--min-lr", a.min_rate, "rate of the first update")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  find_lr->add_option("--max-lr", a.max_rate, "rate of the last update, if the loss does not diverge before")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  find_lr->add_option("--steps", a.steps, "updates")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{10}, int64_t{1000000}));
  find_lr->add_option("--output", a.output, "HTML page to write; default: CONFIG's name with .find-lr.html, here");
}

void declare_check(CLI::App& app, Arguments& a) {
  CLI::App* check =
      add_command(app, "check",
                  "Will a run fit, and how long will it take? Makes some of its updates on the ranks of the job, "
                  "tells time, memory and disk, and saves nothing.",
                  "  mpirun -np 2 sft-dist check run.toml\n"
                  "  srun -N 2 --ntasks-per-node 4 sft-dist check run.toml train.global_batch_size=256");
  takes_config(check, a);
}

void declare_plan(CLI::App& app, Arguments& a) {
  CLI::App* plan = add_command(
      app, "plan",
      "What would a run take on another number of ranks, without that cluster? Memory a rank by its parts and by "
      "parallel.strategy, and time with what ranks wait for each other, from some updates of one rank here.",
      "  sft-dist plan run.toml --gpus 8\n"
      "  sft-dist plan run.toml --gpus 8 --nodes 4 --kind h100 --latency 20us --bandwidth 50GB/s "
      "model.dtype=bfloat16\n"
      "  mpirun -np 2 sft-dist plan run.toml --gpus 16 --json     times the links of this machine first\n"
      "`sft-dist doctor` on two ranks or two nodes tells latency and bandwidth of their links.");
  takes_config(plan, a);
  plan->add_option("--gpus,--nproc-per-node", a.gpus, "ranks of a node, one a GPU; default: as this job")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 16));
  plan->add_option("--nodes,--nnodes", a.nodes, "nodes; default: as this job")
      ->type_name("M")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 16));
  plan->add_option("--kind", a.kind, "of the GPUs; default: what this machine computes on")
      ->type_name("NAME")
      ->check(CLI::IsMember(planning::names_of_kinds(), CLI::ignore_case));
  plan->add_option("--latency", a.latency,
                   "of a message between nodes, or where there is one node, between its ranks: 20us")
      ->type_name("TIME");
  plan->add_option("--bandwidth", a.bandwidth, "of these links, in one direction: 12GB/s, 100Gbit/s")
      ->type_name("RATE");
  plan->add_flag("--json", a.json, "JSON in place of the table");
}

}  // namespace sft
