#include "launch/command_line.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "base/text.h"
#include "launch/version.h"

namespace sft {
namespace {

const char* const kIntroduction =
    R"(distributed supervised fine-tuning: raw files and a Hugging Face model directory in, a model that
transformers loads out. Every command runs alone or under mpirun and srun.

  sft-dist run.toml                          train as run.toml says, on this process alone
  mpirun -np 2 sft-dist run.toml             the same on two ranks: same result, sooner
  sft-dist run.toml optim.learning_rate=1e-4 with a key of the config overridden)";

// Commands that take a config also take overrides of its keys, which CLI11 hands back as they are.
void takes_config(CLI::App* command, Arguments& arguments, const char* what = "the run's TOML config") {
  command->add_option("CONFIG", arguments.target, what)->required();
  command->allow_extras();
}

CLI::App* add(CLI::App& app, const char* name, const char* summary, const char* examples) {
  CLI::App* command = app.add_subcommand(name, summary);
  command->footer(std::string("Examples:\n") + examples);
  return command;
}

void declare(CLI::App& app, Arguments& a) {
  CLI::App* train =
      add(app, "train", "train, evaluate, checkpoint and export",
          "  mpirun -np 2 sft-dist train run.toml --learning_rate 3e-5\n  sft-dist train run.toml --dry-run");
  takes_config(train, a);
  train->add_flag("--dry-run", a.dry_run,
                  "build everything, print the resolved config and the number of updates, train nothing");

  CLI::App* evaluate = add(app, "evaluate", "metrics of a run's model on a split or a file, as JSON",
                           "  sft-dist evaluate runs/sections --split test\n  sft-dist evaluate run.toml --checkpoint "
                           "last --file rows.jsonl");
  evaluate->add_option("RUN", a.target, "run directory, or the config of a run")->required();
  evaluate->add_option("--checkpoint", a.checkpoint, "best, last or a checkpoint directory");
  auto* split =
      evaluate->add_option("--split", a.split, "validation or test")->check(CLI::IsMember({"validation", "test"}));
  evaluate->add_option("--file", a.file, "rows to evaluate instead of a split")->excludes(split);

  CLI::App* predict = add(app, "predict", "raw rows in, one JSON object a row out",
                          "  sft-dist predict runs/sections --input rows.jsonl --output predictions.jsonl\n  mpirun "
                          "-np 2 sft-dist predict model/ --input rows.csv --output p.jsonl --text-column body");
  predict->add_option("MODEL", a.target, "model directory, or a run directory (its model/)")->required();
  predict->add_option("--input", a.inputs, "rows: .jsonl, .csv or .tsv")->required();
  predict->add_option("--output", a.output, "JSON Lines file to write")->required();
  predict->add_option("--text-column", a.text_column, "column of the text")->capture_default_str();
  predict->add_option("--text-pair-column", a.text_pair_column, "column of the second text of a pair");
  predict->add_option("--batch-size", a.batch_size, "rows at once on each rank")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);

  CLI::App* prepare = add(app, "prepare", "tokenize the raw files of a config into HDF5 shards",
                          "  mpirun -np 2 sft-dist prepare run.toml");
  takes_config(prepare, a);

  CLI::App* exporting = add(app, "export", "a run's model in Hugging Face layout",
                            "  sft-dist export runs/sections --checkpoint best --output model/");
  exporting->add_option("RUN_DIR", a.target, "run directory")->required();
  exporting->add_option("--checkpoint", a.checkpoint, "best, last or a checkpoint directory");
  exporting->add_option("--output", a.output, "directory to make")->required();

  CLI::App* sweep = add(app, "sweep", "many runs from one file: grid, random or list",
                        "  sft-dist sweep sweep.toml\n  sft-dist sweep sweep.toml --index $SLURM_ARRAY_TASK_ID");
  takes_config(sweep, a, "a run config with a [sweep] table");
  sweep->add_option("--index", a.index, "run this trial only");
  sweep->add_flag("--list", a.list, "print the trials and run none");
  sweep->add_flag("--slurm", a.slurm, "print the sbatch command that runs the trials as an array");

  CLI::App* inspect = add(app, "inspect", "what an HDF5 shard, checkpoint, safetensors file or run directory holds",
                          "  sft-dist inspect runs/sections/checkpoint-126 --verify");
  inspect->add_option("PATH", a.target, "file or directory")->required();
  inspect->add_flag("--verify", a.verify, "read everything and check its checksums");

  add(app, "doctor", "devices, MPI, file system, versions and a timed all-reduce", "  mpirun -np 2 sft-dist doctor");

  CLI::App* init =
      add(app, "init", "print a commented starter config", "  sft-dist init text_classification > run.toml");
  init->add_option("TASK", a.target, "task")->default_str("text_classification");
}

// `sft-dist run.toml …` means `sft-dist train run.toml …`.
std::vector<std::string> with_command(int argc, char** argv, const CLI::App& app) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0].starts_with("-")) return words;
  for (const CLI::App* command : app.get_subcommands({}))
    if (command->get_name() == words[0]) return words;
  if (words[0].ends_with(".toml") || std::filesystem::exists(words[0])) words.insert(words.begin(), "train");
  return words;
}

Parsed ended(int code) { return {.arguments = {}, .ends = true, .exit_code = code}; }

}  // namespace

Parsed parse_command_line(int argc, char** argv) {
  Parsed parsed;
  CLI::App app(kIntroduction, "sft-dist");
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
      std::cerr << "sft-dist: no command or config file " << quoted(words[0]) << did_you_mean(words[0], names)
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
