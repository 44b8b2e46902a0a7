#include "launch/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "base/text.h"
#include "data/readers/help_texts.h"
#include "launch/starters/starters.h"
#include "launch/version.h"
#include "trainer/learner/attribution.h"
#include "trainer/planning/kinds.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

const char* const kIntroduction =
    R"(Distributed supervised fine-tuning: raw rows and a Hugging Face model directory in, a model that
transformers loads out. Every command runs alone, or on many ranks under mpirun or srun.

  sft-dist init > run.toml                     a commented config to fill in
  sft-dist run.toml --dry-run                  is everything there, and how many updates will it be?
  mpirun -np 2 sft-dist run.toml               train on two ranks: the result of one, sooner
  sft-dist run.toml optim.learning_rate=1e-4   any key of the config can be given here
)";

const char* const kAfterCommands =
    R"(`sft-dist COMMAND --help` has the options of each and examples. Every command takes -q, for warnings and
errors alone, and -v, for more than is usual.

Exit codes: 0 done, 2 command line, 69 device or communication, 70 internal, 75 stopped with a checkpoint: start it
again, 76 a rank hung, 77 run directory in use, 78 config, 79 bad content of a file, 80 loss not finite, 81 cannot
write, 82 out of memory, 93 three starts that got nowhere.)";

// Commands that take a config also take overrides of its keys, which CLI11 hands back as they are.
void takes_config(CLI::App* command, Arguments& arguments, const std::string& what = "the run's TOML config") {
  command
      ->add_option("CONFIG", arguments.target,
                   what +
                       "; any key of it can follow: optim.learning_rate=1e-4, or --learning_rate 1e-4 where the name "
                       "is in one section only")
      ->required()
      ->type_name("FILE");
  command->allow_extras();
}

void takes_checkpoint(CLI::App* command, Arguments& arguments) {
  command->add_option("--checkpoint", arguments.checkpoint, "best, last or a checkpoint directory")
      ->type_name("WHICH")
      ->capture_default_str();
}

CLI::App* add(CLI::App& app, const char* name, const char* summary, const char* examples) {
  CLI::App* command = app.add_subcommand(name, summary);
  command->footer(std::string("Examples:\n") + examples);
  return command;
}

// Of every command.
void takes_talk(CLI::App* command, Arguments& arguments) {
  auto* quiet = command->add_flag("-q,--quiet", arguments.quiet, "tell warnings and errors alone, no progress");
  command
      ->add_flag("-v,--verbose", arguments.verbose,
                 "tell also where the ranks are, how long each phase took, and what was removed")
      ->excludes(quiet);
}

void declare(CLI::App& app, Arguments& a) {
  CLI::App* train = add(app, "train", "Train, evaluate, checkpoint, and export the final or best model.",
                        "  mpirun -np 2 sft-dist train run.toml\n"
                        "  sft-dist train run.toml --dry-run\n"
                        "  mpirun -np 8 sft-dist run.toml --learning_rate 3e-5 output_dir=runs/slower\n"
                        "The same command again goes on from the newest checkpoint, on any number of ranks.");
  takes_config(train, a);
  train->add_flag("--dry-run", a.dry_run,
                  "build everything, print the resolved config and the number of updates, train nothing");

  CLI::App* evaluate =
      add(app, "evaluate", "Exact metrics of a run's model on one of its splits or on another file, as JSON.",
          "  sft-dist evaluate runs/sections --split test\n"
          "  mpirun -np 2 sft-dist evaluate runs/sections --checkpoint last --file rows.jsonl > metrics.json");
  evaluate->add_option("RUN", a.target, "run directory, or the config of a run")->required()->type_name("DIR|FILE");
  takes_checkpoint(evaluate, a);
  auto* split =
      evaluate->add_option("--split", a.split, "validation or test; default: validation where the run has one")
          ->check(CLI::IsMember({"validation", "test"}));
  evaluate->add_option("--file", a.file, "labelled rows to evaluate instead of a split")
      ->excludes(split)
      ->type_name("FILE");

  CLI::App* predict =
      add(app, "predict", "Raw rows in, one prediction a row out, in the same order.",
          "  sft-dist predict runs/sections --input rows.jsonl --output predictions.jsonl\n"
          "  mpirun -np 2 sft-dist predict model/ --input rows.csv --output p.csv --text-column title body\n"
          "  zcat rows.jsonl.gz | sft-dist predict model/ --input - --output - --keep id text --top-k 3 > p.jsonl\n"
          "Of a run, rows are read as it has read them: columns, length, side of the cut, sizes of images. A model "
          "directory\n"
          "tells less; what is assumed of it is said.");
  predict->add_option("MODEL", a.target, "run directory (its model/, else its best checkpoint), or a model directory")
      ->required()
      ->type_name("DIR");
  predict->add_option("--input", a.inputs, kInputHelp)->required()->type_name("FILE");
  predict
      ->add_option("--output", a.output,
                   "file to write: .csv or .tsv with a header, else JSON Lines; -: standard output")
      ->required()
      ->type_name("FILE");
  for (const TaskKind& kind : tasks())
    for (const PredictionsForm& form : kind.forms)
      predict->add_option(form.option, a.forms[form.option], form.help)->type_name("PATH");
  predict
      ->add_option("--text-column", a.text_columns,
                   "column of the text, or several to be joined; default: the run's, else text, of words also tokens")
      ->type_name("NAME");
  predict
      ->add_option("--text-pair-column", a.text_pair_column, "column of the second text of a pair; default: the run's")
      ->type_name("NAME");
  predict->add_option("--image-column", a.image_column, "dataset of the images in an HDF5 file, or column of rows")
      ->type_name("NAME");
  predict->add_option("--keep", a.keep, "columns of the input to put in front of each prediction, as id and text")
      ->type_name("NAME");
  predict->add_option("--top-k", a.top_k, "keep this many of the scores, the best first; 0: all")
      ->type_name("K")
      ->check(CLI::NonNegativeNumber);
  predict->add_flag("--logits", a.logits, "tell too what the scores are made of, one number an output");
  predict
      ->add_option("--explain", a.explain,
                   "of one label a row: tell of each word, or of each cell of a picture, how much it speaks for the "
                   "predicted label, by gradient x input, by integrated gradients, or by hiding one after the other")
      ->type_name("WAY")
      ->check(CLI::IsMember(attribution_ways()));
  predict
      ->add_option("--heat-maps", a.forms["--heat-maps"],
                   "with --explain, of pictures: also write each with its scores laid over it into this new directory")
      ->type_name("DIR");
  predict->add_option("--batch-size", a.batch_size, "rows at once on each rank")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);

  CLI::App* chat = add(app, "chat", "Talk with a language model on the terminal; its chat template frames the turns.",
                       "  sft-dist chat runs/debian\n"
                       "  sft-dist chat model/ --system 'You answer in one sentence.' generate.do_sample=true "
                       "generate.temperature=0.7\n"
                       "  echo 'What is the Debian package gzip?' | sft-dist chat runs/debian");
  chat->add_option("MODEL", a.target,
                   "run directory (its model/, else its best checkpoint), or a model directory; keys of [generate] and "
                   "data.chat_template can follow")
      ->required()
      ->type_name("DIR");
  chat->add_option("--system", a.system, "what the model is told first")->type_name("TEXT");
  chat->allow_extras();

  CLI::App* prepare =
      add(app, "prepare", "Tokenize the raw files of a config into HDF5 shards ahead of `train`, which else does it.",
          "  mpirun -np 2 sft-dist prepare run.toml\n"
          "  sft-dist prepare run.toml data.max_length=256\n"
          "  sft-dist prepare run.toml --show 3");
  takes_config(prepare, a);
  prepare
      ->add_option("--show", a.show,
                   "print the first N training samples as text, with what language models learn of them marked")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);

  CLI::App* exporting =
      add(app, "export", "A checkpoint's model in Hugging Face layout, or as ONNX, without what only training needs.",
          "  sft-dist export runs/sections --output my-model\n"
          "  sft-dist export runs/sections --checkpoint checkpoint-126 --output my-model\n"
          "  sft-dist export runs/sections --onnx my-onnx-model");
  exporting
      ->add_option("MODEL", a.target,
                   "run directory, a model directory, or that of an adapter, which is merged into its base")
      ->required()
      ->type_name("DIR");
  takes_checkpoint(exporting, a);
  exporting->add_option("--output", a.output, "directory to make in Hugging Face layout")->type_name("DIR");
  exporting
      ->add_option("--onnx", a.forms["--onnx"],
                   "directory to make with model.onnx beside config.json and the tokenizer, as optimum and ONNX Runtime "
                   "load them; of encoders")
      ->type_name("DIR");

  CLI::App* sweep = add(
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

  CLI::App* report =
      add(app, "report",
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

  CLI::App* clean =
      add(app, "clean", "What only training needed of runs that have ended: checkpoints, caches, partial files.",
          "  sft-dist clean runs/sections          says what would go\n"
          "  sft-dist clean runs/sections --yes    removes it\n"
          "  sft-dist clean runs/* --yes           with the prepared rows that these runs alone read\n"
          "Model, results, logs and report stay, and whatever this program did not make.");
  clean->add_option("RUN_DIR", a.inputs, "run directories; a folder of runs, as a sweep's, stands for all in it")
      ->required()
      ->type_name("DIR");
  clean->add_flag("--yes", a.yes, "remove what is listed");

  CLI::App* noise =
      add(app, "noise",
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

  CLI::App* find_lr =
      add(app, "find-lr", "Learning-rate range test: table, plot, suggestion; nothing is saved in the run's directory.",
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

  CLI::App* inspect =
      add(app, "inspect", "What a run has come to, or what a checkpoint, HDF5 shard or safetensors file holds.",
          "  sft-dist inspect runs/sections\n"
          "  sft-dist inspect runs/sections/checkpoint-126 --verify\n"
          "  sft-dist inspect model.safetensors");
  inspect->add_option("PATH", a.target, "file or directory")->required()->type_name("PATH");
  inspect->add_flag("--verify", a.verify,
                    "read everything: of checkpoints and shards the checksums; of a model the numbers, names and "
                    "shapes of its weights, and the tokenizer's ids");

  CLI::App* check = add(app, "check",
                        "Will a run fit, and how long will it take? Makes some of its updates on the ranks of the job, "
                        "tells time, memory and disk, and saves nothing.",
                        "  mpirun -np 2 sft-dist check run.toml\n"
                        "  srun -N 2 --ntasks-per-node 4 sft-dist check run.toml train.global_batch_size=256");
  takes_config(check, a);

  CLI::App* plan =
      add(app, "plan",
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
  plan->add_option("--bandwidth", a.bandwidth, "of these links, in one direction: 12GB/s, 100Gbit/s")->type_name("RATE");
  plan->add_flag("--json", a.json, "JSON in place of the table");

  add(app, "doctor",
      "What this machine offers: ranks, cores, memory, disk, versions, speed of arithmetic and of an "
      "all-reduce, latency and bandwidth of the links. Start it as a job would be started.",
      "  sft-dist doctor\n"
      "  mpirun -np 2 sft-dist doctor\n"
      "  srun -N 2 --ntasks-per-node 4 sft-dist doctor");

  CLI::App* init = add(app, "init", "Print a commented config to fill in, for rows of one's own.",
                       "  sft-dist init > run.toml\n"
                       "  sft-dist init token_classification > run.toml");
  std::vector<std::string> learned;
  for (const Starter& starter : starters()) learned.emplace_back(starter.name);
  init->add_option("TASK", a.target, "what is learned: " + join(learned, ", "))
      ->type_name("TASK")
      ->default_str("text_classification");

  CLI::App* help = add(app, "help", "What a key of the config means, or the options of a command.",
                       "  sft-dist help optim.learning_rate\n"
                       "  sft-dist help save              all keys of a section\n"
                       "  sft-dist help bf16              what another trainer's name is here\n"
                       "  sft-dist help keys              all keys, as a page in Markdown\n"
                       "  sft-dist help train             as train --help");
  help->add_option("NAME", a.target, "a key, a section, a command, or keys")->required()->type_name("NAME");

  for (CLI::App* command : app.get_subcommands({})) takes_talk(command, a);
}

bool is_command(const CLI::App& app, const std::string& word) {
  return std::ranges::any_of(app.get_subcommands({}), [&](const CLI::App* each) { return each->get_name() == word; });
}

bool is_about_talk(std::string_view word) {
  return word == "-q" || word == "--quiet" || word == "-v" || word == "--verbose";
}

// `sft-dist run.toml …` means `sft-dist train run.toml …`, `sft-dist help train` means `sft-dist train --help`, and
// `sft-dist -q train …` means `sft-dist train … -q`.
std::vector<std::string> with_command(int argc, char** argv, const CLI::App& app) {
  std::vector<std::string> words(argv + 1, argv + argc);
  std::ranges::rotate(words, std::ranges::find_if_not(words, is_about_talk));
  if (words.empty() || words[0].starts_with("-")) return words;
  if (words[0] == "help") std::erase_if(words, is_about_talk);
  if (words.size() == 1 && words[0] == "help") return {"--help"};
  if (words.size() == 2 && words[0] == "help" && is_command(app, words[1])) return {words[1], "--help"};
  if (is_command(app, words[0])) return words;
  if (words[0].ends_with(".toml") || std::filesystem::exists(words[0])) words.insert(words.begin(), "train");
  return words;
}

Parsed ended(int code) { return {.arguments = {}, .ends = true, .exit_code = code}; }

}  // namespace

Parsed parse_command_line(int argc, char** argv) {
  Parsed parsed;
  CLI::App app(kIntroduction, "sft-dist");
  app.footer(kAfterCommands);
  app.set_version_flag("--version", version_text());
  app.set_help_all_flag("--help-all", "help of every command");
  app.require_subcommand(0, 1);
  app.failure_message(CLI::FailureMessage::simple);
  declare(app, parsed.arguments);
  std::vector<std::string> words = with_command(argc, argv, app);
  if (!words.empty() && !words[0].starts_with("-")) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
    if (std::find(names.begin(), names.end(), words[0]) == names.end()) {
      std::cerr << "sft-dist: no command or config file " << in_quotes(words[0]) << did_you_mean(words[0], names)
                << "; commands: " << join(names, ", ") << '\n';
      return ended(2);
    }
  }
  std::reverse(words.begin(), words.end());  // CLI11 takes the last word first
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return ended(app.exit(error, std::cout, std::cerr) == 0 ? 0 : 2);
  }
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) {
    std::cout << app.help();
    return ended(argc > 1 ? 2 : 0);
  }
  parsed.arguments.command = chosen.front()->get_name();
  parsed.arguments.overrides = chosen.front()->remaining();
  return parsed;
}

}  // namespace sft
