// Many ordinary runs from one file, one after the other or one by its index; ends in a table.
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/run_directory.h"
#include "launch/sweep_plan.h"

namespace sft {
namespace {

std::vector<std::string> overrides_of(const Arguments& arguments, const std::string& sweep_directory, const Trial& trial) {
  std::vector<std::string> overrides = arguments.overrides;
  overrides.insert(overrides.end(), trial.overrides.begin(), trial.overrides.end());
  overrides.push_back("output_dir=\"" + sweep_directory + "/" + trial.name + "\"");
  return overrides;
}

// Each trial's settings beside what its summary says; trials without one have empty cells.
std::vector<std::vector<std::string>> table_of(const SweepPlan& plan, const std::string& directory) {
  std::vector<std::string> metrics{"exit_reason", "global_step", "best_metric"};
  std::vector<nlohmann::ordered_json> summaries;
  for (const Trial& trial : plan.trials) {
    const std::string path = directory + "/" + trial.name + "/summary.json";
    summaries.push_back(std::filesystem::exists(path) ? nlohmann::ordered_json::parse(read_file(path), nullptr, false) : nlohmann::ordered_json());
    for (const char* part : {"metrics", "test_metrics"}) {
      if (!summaries.back().is_object() || !summaries.back()[part].is_object()) continue;
      for (const auto& [name, value] : summaries.back()[part].items()) {
        const std::string column = std::string(part == std::string("metrics") ? "eval_" : "test_") + name;
        if (value.is_number() && name != "step" && name != "samples" && std::find(metrics.begin(), metrics.end(), column) == metrics.end()) metrics.push_back(column);
      }
    }
  }
  std::vector<std::vector<std::string>> rows{{"trial"}};
  rows[0].insert(rows[0].end(), plan.parameters.begin(), plan.parameters.end());
  rows[0].insert(rows[0].end(), metrics.begin(), metrics.end());
  for (size_t i = 0; i < plan.trials.size(); ++i) {
    std::vector<std::string> row{plan.trials[i].name};
    for (const std::string& override : plan.trials[i].overrides) row.push_back(override.substr(override.find('=') + 1));
    for (const std::string& metric : metrics) {
      nlohmann::ordered_json value;
      const auto& summary = summaries[i];
      if (!summary.is_object()) value = metric == "exit_reason" ? "not finished" : "";
      else if (metric.starts_with("eval_")) value = summary["metrics"].is_object() ? summary["metrics"].value(metric.substr(5), nlohmann::ordered_json("")) : "";
      else if (metric.starts_with("test_")) value = summary["test_metrics"].is_object() ? summary["test_metrics"].value(metric.substr(5), nlohmann::ordered_json("")) : "";
      else value = summary.value(metric, nlohmann::ordered_json(""));
      std::ostringstream cell;
      if (value.is_number_float()) cell << std::setprecision(5) << value.get<double>();
      else if (value.is_string()) cell << value.get<std::string>();
      else if (!value.is_null()) cell << value.dump();
      row.push_back(cell.str());
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string csv(const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (std::string cell : row) {
      for (size_t at = 0; (at = cell.find('"', at)) != std::string::npos; at += 2) cell.insert(at, 1, '"');
      cells.push_back(cell.find_first_of(",\"\n") == std::string::npos ? cell : '"' + cell + '"');
    }
    text += join(cells, ",") + "\n";
  }
  return text;
}

// Settings and the metrics that tell trials apart, in columns.
void print(const std::vector<std::vector<std::string>>& rows, size_t num_parameters) {
  const std::vector<std::string> wanted{"trial", "exit_reason", "best_metric", "eval_loss", "eval_accuracy", "eval_f1", "test_accuracy", "test_f1"};
  for (const auto& row : rows) {
    for (size_t column = 0; column < row.size(); ++column) {
      if (column > num_parameters && std::find(wanted.begin(), wanted.end(), rows[0][column]) == wanted.end()) continue;
      size_t width = 0;
      for (const auto& other : rows) width = std::max(width, other[column].size());
      std::cout << std::left << std::setw(static_cast<int>(width) + 2) << row[column];
    }
    std::cout << '\n';
  }
  std::cout << std::flush;
}

// A trial that fails for a reason of its own is told and does not stop the others.
ExitCode run_trial(const Arguments& arguments, const SweepPlan& plan, size_t index, const std::string& directory, Job& job) {
  const Trial& trial = plan.trials[index];
  if (job.control().rank() == 0) log::info(concat(trial.name, " (", index + 1, " of ", plan.trials.size(), "): ", join(trial.overrides, "  ")));
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
    if (arguments.index >= static_cast<int64_t>(plan.trials.size())) throw ConfigError(concat("--index ", arguments.index, ": the sweep has ", plan.trials.size(), " trials, 0 to ", plan.trials.size() - 1));
    for (const Trial& trial : plan.trials) load_run(arguments.target, overrides_of(arguments, loaded.config.output_dir, trial));  // a wrong key shows before the first trial
  });
  const std::string directory = loaded.config.output_dir;
  const bool speaks = job.control().rank() == 0;
  if (arguments.slurm || arguments.list) {
    if (speaks && arguments.slurm) std::cout << "sbatch --array=0-" << plan.trials.size() - 1 << " slurm/sweep.sbatch " << arguments.target << '\n';
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
      const auto rows = table_of(plan, directory);
      write_atomically(real_files(), directory + "/sweep.csv", csv(rows));
      print(rows, plan.parameters.size());
      log::info(concat("all trials: ", directory, "/sweep.csv"));
    });
  job.report_exit_to(directory);
  return worst;
}

}  // namespace sft
