// Many ordinary runs from one file, one after the other or one by its index; ends in a table.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/installed.h"
#include "launch/ownership.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "launch/starts.h"
#include "launch/sweep_plan.h"
#include "launch/sweep_table.h"
#include "trainer/report/report.h"

namespace sft {
namespace {

// A trial is a run of its own, which has no sweep in its config.
LoadedConfig config_of(const Arguments& arguments, const std::string& sweep_directory, const Trial& trial) {
  std::vector<std::string> overrides = arguments.overrides;
  overrides.insert(overrides.end(), trial.overrides.begin(), trial.overrides.end());
  overrides.push_back("output_dir=\"" + sweep_directory + "/" + trial.name + "\"");
  LoadedConfig loaded = load_run(arguments.target, overrides);
  loaded.config.sweep = Table::object();
  return loaded;
}

// A trial that fails for a reason of its own is told and does not stop the others.
ExitCode run_trial(const Trial& trial, LoadedConfig loaded, const std::string& place, Job& job) {
  const bool speaks = job.control().rank() == 0;
  const std::string directory = loaded.config.output_dir;
  if (speaks) log::info(concat("trial ", place, ": ", join(trial.overrides, "  ")));
  try {
    const ExitCode code = train_run(std::move(loaded), job);
    if (speaks) end_start(directory, code);
    return code;
  } catch (const Error& error) {
    if (error.reach() == Reach::here || error.code() == ExitCode::requeue) throw;
    if (speaks) log::error(concat(trial.name, ": ", error.what()));
    if (speaks && job.run_directory() == directory) end_start(directory, error.code());
    return error.code();
  }
}

// For a shell: what holds other than plain characters stands in single quotes.
std::string quoted_for_shell(const std::string& word) {
  if (!word.empty() &&
      word.find_first_not_of("+-.,/:=@%_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
          std::string::npos)
    return word;
  std::string quoted = "'";
  for (const char letter : word) quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return quoted + "'";
}

void print_sbatch(const Arguments& arguments, size_t trials) {
  std::string command = quoted_for_shell(arguments.target);
  for (const std::string& setting : arguments.overrides) command += ' ' + quoted_for_shell(setting);
  std::cout << "array=$(sbatch --parsable --array=0-" << trials - 1 << ' ' << installed("slurm/sweep.sbatch") << ' '
            << command << ")\n"
            << "sbatch --dependency=afterany:$array " << installed("slurm/train.sbatch") << " sweep " << command
            << "  # when all have ended: what is missing, and the table\n";
}

// directory/best leads to the model of the trial. A link alone is replaced: what else has the name is somebody's.
void link_best(const std::string& directory, const std::string& trial) {
  namespace fs = std::filesystem;
  const fs::path link = fs::path(directory) / "best", model = exported_by(directory + "/" + trial);
  std::error_code error;
  if (model.empty()) return;
  if (fs::exists(fs::symlink_status(link, error)) && !fs::is_symlink(link)) {
    log::warn(concat(link.string(), " is there and is no link: it stays, and does not lead to the best model"));
    return;
  }
  fs::remove(link, error);
  fs::create_directory_symlink(fs::path(trial) / model.filename(), link, error);
  if (error)
    log::warn(concat("no link to the best model: ", link.string(), ": ", error.message()));
  else
    log::info(concat("best model: ", link.string()));
}

void say_best(const SweepResults& results, const std::string& directory) {
  if (results.metric().empty()) return;
  const TrialResult& best = results.trials()[results.ranking().front()];
  log::info(concat("best ", results.metric(), ": ", best.facts["best_metric"].get<double>(), " of ", directory, "/",
                   best.name));
  link_best(directory, best.name);
}

// The table and a page of all trials that ended well, beside them.
void conclude_sweep(const SweepPlan& plan, const std::vector<ExitCode>& codes, const std::string& directory) {
  const SweepResults results(plan, codes, directory);
  write_atomically(real_files(), directory + "/sweep.csv", csv_of(results));
  std::cout << text_of(results) << std::flush;
  say_best(results, directory);
  std::vector<std::string> runs;
  for (size_t i = 0; i < plan.trials.size(); ++i)
    if (codes[i] == ExitCode::done) runs.push_back(directory + "/" + plan.trials[i].name);
  if (!runs.empty()) leave_report(runs, directory + "/report.html");
  log::info(
      concat("all trials: ", directory, "/sweep.csv", runs.empty() ? "" : concat(", ", directory, "/report.html")));
}

}  // namespace

ExitCode sweep(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  SweepPlan plan;
  std::vector<LoadedConfig> trials;
  together(job.control(), [&] {
    loaded = load_run(arguments.target, arguments.overrides);
    plan = plan_sweep(loaded.config.sweep, static_cast<uint64_t>(loaded.config.seed));
    if (arguments.index >= static_cast<int64_t>(plan.trials.size()))
      throw ConfigError(concat("--index ", arguments.index, ": the sweep has ", plan.trials.size(), " trials, 0 to ",
                               plan.trials.size() - 1));
    for (const Trial& trial : plan.trials)  // a wrong key shows before the first trial
      trials.push_back(config_of(arguments, loaded.config.output_dir, trial));
  });
  const std::string directory = loaded.config.output_dir;
  const bool speaks = job.control().rank() == 0;
  require_agreement(job.control(), [&] { return run_facts(loaded.config); });
  if (arguments.slurm || arguments.list) {
    if (speaks && arguments.slurm) print_sbatch(arguments, plan.trials.size());
    if (speaks && arguments.list)
      for (const Trial& trial : plan.trials) std::cout << trial.name << "  " << join(trial.overrides, "  ") << '\n';
    return ExitCode::done;
  }
  const size_t first = arguments.index < 0 ? 0 : static_cast<size_t>(arguments.index);
  const size_t end = arguments.index < 0 ? plan.trials.size() : first + 1;
  if (speaks)
    for (const std::string& warning : loaded.warnings) log::warn(warning);
  together(job.control(), [&] {
    if (!speaks) return;
    take_sweep_directory(directory);
    if (arguments.index < 0) real_files().remove_all(directory + "/exit_status");  // of an earlier start
  });
  std::vector<ExitCode> codes(plan.trials.size(), ExitCode::done);
  for (size_t i = first; i < end; ++i) {
    if (max(job.control(), stop_requested() != 0 ? 1 : 0) > 0) {
      if (speaks) log::info(concat("stopped between trials; the same command goes on with ", plan.trials[i].name));
      job.report_exit_to(directory);
      return ExitCode::requeue;
    }
    codes[i] = run_trial(plan.trials[i], std::move(trials[i]), concat(i + 1, " of ", plan.trials.size()), job);
    if (codes[i] == ExitCode::requeue) return codes[i];  // a signal is for the whole sweep
  }
  if (arguments.index < 0)
    together(job.control(), [&] {
      if (speaks) conclude_sweep(plan, codes, directory);
    });
  job.report_exit_to(directory);
  return *std::ranges::max_element(codes);
}

}  // namespace sft
