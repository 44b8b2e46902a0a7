// Many ordinary runs from one file, one after the other or one by its index; ends in a table.
#include <iostream>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/run_directory.h"
#include "launch/sweep_plan.h"
#include "launch/sweep_table.h"
#include "trainer/report/report.h"

namespace sft {
namespace {

std::vector<std::string> overrides_of(const Arguments& arguments, const std::string& sweep_directory,
                                      const Trial& trial) {
  std::vector<std::string> overrides = arguments.overrides;
  overrides.insert(overrides.end(), trial.overrides.begin(), trial.overrides.end());
  overrides.push_back("output_dir=\"" + sweep_directory + "/" + trial.name + "\"");
  return overrides;
}

// A trial that fails for a reason of its own is told and does not stop the others.
ExitCode run_trial(const Arguments& arguments, const SweepPlan& plan, size_t index, const std::string& directory,
                   Job& job) {
  const Trial& trial = plan.trials[index];
  if (job.control().rank() == 0)
    log::info(concat(trial.name, " (", index + 1, " of ", plan.trials.size(), "): ", join(trial.overrides, "  ")));
  Arguments one = arguments;
  one.overrides = overrides_of(arguments, directory, trial);
  try {
    return train(one, job);
  } catch (const Error& error) {
    if (error.reach() == Reach::here) throw;
    if (job.control().rank() == 0) log::error(concat(trial.name, ": ", error.what()));
    return error.code();
  }
}

}  // namespace

ExitCode sweep(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  SweepPlan plan;
  together(job.control(), [&] {
    loaded = load_run(arguments.target, arguments.overrides);
    plan = plan_sweep(loaded.config.sweep, static_cast<uint64_t>(loaded.config.seed));
    if (arguments.index >= static_cast<int64_t>(plan.trials.size()))
      throw ConfigError(concat("--index ", arguments.index, ": the sweep has ", plan.trials.size(), " trials, 0 to ",
                               plan.trials.size() - 1));
    for (const Trial& trial : plan.trials)
      load_run(arguments.target,
               overrides_of(arguments, loaded.config.output_dir, trial));  // a wrong key shows before the first trial
  });
  const std::string directory = loaded.config.output_dir;
  const bool speaks = job.control().rank() == 0;
  if (arguments.slurm || arguments.list) {
    if (speaks && arguments.slurm)
      std::cout << "sbatch --array=0-" << plan.trials.size() - 1 << " slurm/sweep.sbatch " << arguments.target << '\n';
    if (speaks && arguments.list)
      for (const Trial& trial : plan.trials) std::cout << trial.name << "  " << join(trial.overrides, "  ") << '\n';
    return ExitCode::done;
  }
  const size_t first = arguments.index < 0 ? 0 : static_cast<size_t>(arguments.index);
  const size_t end = arguments.index < 0 ? plan.trials.size() : first + 1;
  ExitCode worst = ExitCode::done;
  for (size_t i = first; i < end; ++i) {
    const ExitCode code = run_trial(arguments, plan, i, directory, job);
    if (code == ExitCode::requeue) return code;  // a signal is for the whole sweep
    if (code != ExitCode::done) worst = code;
  }
  if (arguments.index < 0)
    together(job.control(), [&] {
      if (!speaks) return;
      const SweepTable table(plan, directory);
      write_atomically(real_files(), directory + "/sweep.csv", table.csv());
      std::cout << table.text() << std::flush;
      leave_report(directory);
      log::info(concat("all trials: ", directory, "/sweep.csv, ", directory, "/report.html"));
    });
  job.report_exit_to(directory);
  return worst;
}

}  // namespace sft
