// Many ordinary runs from one file, one after the other or one by its index; ends in a table.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/commands/train_run.h"
#include "launch/installed.h"
#include "launch/ownership.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "launch/shell_words.h"
#include "launch/starts.h"
#include "launch/sweep/best_link.h"
#include "launch/sweep/sweep_folder.h"
#include "launch/sweep/sweep_plan.h"
#include "launch/sweep/sweep_table.h"
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

// Arrays of which none needs what has come of a later one: first and last trial.
std::vector<std::pair<size_t, size_t>> arrays_of(const SweepPlan& plan) {
  std::vector<std::pair<size_t, size_t>> arrays;
  size_t end = plan.learns() ? plan.trials_per_round : plan.num_trials;
  if (!plan.pruning && plan.learns()) end = std::max(end, plan.round_of(plan.num_startup_trials));
  for (size_t first = 0; first < plan.num_trials; first = end, end += plan.trials_per_round)
    arrays.emplace_back(first, std::min(end, plan.num_trials) - 1);
  return arrays;
}

void print_sbatch(const Arguments& arguments, const SweepPlan& plan) {
  const std::string command = target_in_shell(arguments);
  std::string behind;
  for (const auto& [first, last] : arrays_of(plan)) {
    std::cout << "array=$(sbatch --parsable " << behind << "--array=" << first << '-' << last << ' '
              << installed("slurm/sweep.sbatch") << ' ' << command << ")\n";
    behind = "--dependency=afterany:$array ";
  }
  std::cout << "sbatch " << behind << installed("slurm/train.sbatch") << " sweep " << command
            << "  # when all have ended: what is missing, and the table\n";
  if (plan.learns() && plan.trials_per_round == 1)
    log::info("trials follow one after the other; sweep.trials_per_round = 4 makes arrays of four");
}

// "trial/model", "" where the trial has exported none.
std::string model_of(const std::string& directory, const std::string& trial) {
  const std::filesystem::path model = exported_by(directory + "/" + trial);
  return model.empty() ? "" : (std::filesystem::path(trial) / model.filename()).string();
}

void say_best(const SweepResults& results, const std::string& directory) {
  if (results.metric().empty()) return link_best(directory, "");
  const TrialResult& best = results.trials()[results.ranking().front()];
  log::info(concat("best ", results.metric(), ": ", best.facts["best_metric"].get<double>(), " of ", directory, "/",
                   best.name));
  if (best.leaves_best) return link_best(directory, model_of(directory, best.name));
  log::warn(
      concat("no link to its model, which is of a later step than that evaluation: with "
             "eval.load_best_model_at_end = true each trial leaves its best model"));
  link_best(directory, "");
}

// The table and a page of all trials that were trained to their end, beside them.
void conclude_sweep(const SweepPlan& plan, const std::vector<ExitCode>& codes, const std::string& directory) {
  const SweepResults results(plan, codes, directory);
  write_atomically(real_files(), directory + "/sweep.csv", csv_of(results));
  std::cout << text_of(results) << std::flush;
  say_best(results, directory);
  std::vector<std::string> runs;
  for (const TrialResult& trial : results.trials())
    if (trial.facts.contains("global_step")) runs.push_back(directory + "/" + trial.name);
  if (!runs.empty()) leave_report(runs, directory + "/report.html");
  log::info(
      concat("all trials: ", directory, "/sweep.csv", runs.empty() ? "" : concat(", ", directory, "/report.html")));
}

// The table of an earlier start may be of another grid, and this start may be stopped before it leaves one.
void drop_results(const std::string& directory) {
  for (const char* name : {"sweep.csv", "report.html"}) real_files().remove_all(concat(directory, "/", name));
  link_best(directory, "");
}

// KeySet whose values are whole numbers, so that draws for them are.
KeySet whole_numbers() {
  RunConfig config;
  KeySet keys;
  for (const BoundField& field : bind_fields(config))
    if (std::holds_alternative<int64_t*>(field.value)) keys.insert(field.key());
  return keys;
}

// By the names that a command line takes: without the section where the rest is unique, and by other names of a key.
KeyNames dotted_keys() {
  RunConfig config;
  KeyNames names;
  KeySet at_the_top, ambiguous;
  for (const BoundField& field : bind_fields(config)) {
    std::vector<std::string> called{std::string(field.info.name)};
    for (const std::string_view other : field.info.other_names) called.emplace_back(other);
    for (const std::string& name : called) {
      if (!field.section.empty()) names[field.section + '.' + name] = field.key();
      if (field.section.empty()) at_the_top.insert(name);
      if (field.section.empty() || !names.try_emplace(name, field.key()).second) ambiguous.insert(name);
    }
  }
  for (const std::string& name : ambiguous) names.erase(name);
  for (const std::string& name : at_the_top) names[name] = name;
  return names;
}

AskedMeasure asked_measure(const EvalConfig& eval) {
  AskedMeasure asked;
  if (eval.metric_for_best_model != "auto") asked.metric = eval.metric_for_best_model;
  if (eval.greater_is_better != AutoBool::automatic) asked.greater_is_better = eval.greater_is_better == AutoBool::yes;
  return asked;
}

void print_trials(const SweepPlan& plan, const std::string& directory) {
  const SweepFolder folder(directory, plan);
  for (size_t i = 0; i < plan.num_trials; ++i) {
    std::optional<Trial> trial;
    try {
      trial = folder.trial(i);
    } catch (const ConfigError&) {
      if (i < plan.num_startup_trials) throw;
    }
    if (!trial) {
      log::info(concat("trials ", i, " to ", plan.num_trials - 1, " follow from what comes of these"));
      return;
    }
    std::cout << trial->name << "  " << join(trial->overrides, "  ") << '\n';
  }
}

// A trial as all ranks take it: rank 0 reads the folder.
struct NextTrial {
  std::optional<Trial> trial;  // nothing: no settings were found that were not tried
  Cutoffs cutoffs;
  bool is_pruned = false;  // already, under these settings
};

// What keeps this from being found out, the trial's start tells.
bool stays_pruned(const SweepFolder& folder, size_t number, const Trial& trial,
                  const std::function<LoadedConfig()>& config, int world) {
  try {
    return folder.is_pruned(number, trial) && holds_training_of(config(), world);
  } catch (const Error&) {
    return false;
  }
}

NextTrial next_trial(const Arguments& arguments, const std::string& sweep_directory, const SweepFolder& folder,
                     size_t number, Communicator& control) {
  std::string told;
  together(control, [&] {
    if (control.rank() != 0) return;
    folder.require_one_measure();
    const auto trial = folder.trial(number);
    nlohmann::json next = nlohmann::json::array();
    if (trial) {
      const bool is_pruned = stays_pruned(
          folder, number, *trial, [&] { return config_of(arguments, sweep_directory, *trial); }, control.size());
      next = {trial->name, trial->overrides, is_pruned ? Cutoffs{} : folder.cutoffs(number), is_pruned};
      folder.begin(number, *trial);
    }
    told = next.dump();
  });
  const auto next = nlohmann::json::parse(broadcast_from(control, told));
  if (next.empty()) return {};
  return {.trial = Trial{next[0].get<std::string>(), next[1].get<std::vector<std::string>>()},
          .cutoffs = next[2].get<Cutoffs>(),
          .is_pruned = next[3].get<bool>()};
}

// A trial that fails for a reason of its own is told and does not stop the others. One that was pruned stays so.
ExitCode run_trial(const Arguments& arguments, const std::string& sweep_directory, const NextTrial& next,
                   const std::string& place, Job& job) {
  const bool speaks = job.control().rank() == 0;
  const Trial& trial = *next.trial;
  const std::string directory = sweep_directory + "/" + trial.name;
  if (speaks)
    log::info(concat("trial ", place, next.is_pruned ? " was pruned before: " : ": ", join(trial.overrides, "  ")));
  if (next.is_pruned) return ExitCode::done;
  try {
    LoadedConfig loaded;
    together(job.control(), [&] { loaded = config_of(arguments, sweep_directory, trial); });
    const ExitCode code = train_run(std::move(loaded), job, next.cutoffs);
    if (speaks) end_start(directory, code);
    return code;
  } catch (const Error& error) {
    if (error.reach() == Reach::here || error.code() == ExitCode::requeue) throw;
    if (speaks) log::error(concat(trial.name, ": ", error.what()));
    if (speaks && job.run_directory() == directory) end_start(directory, error.code());
    return error.code();
  }
}

// A wrong key, or an end of a range, shows before the first trial of a search too.
void require_searched_keys(const Arguments& arguments, const std::string& sweep_directory, const SweepPlan& plan) {
  if (plan.searched.empty()) return;
  for (const double uniform : {0.0, 0.999}) {
    std::vector<Table> values;
    for (const Dimension& dimension : plan.searched) values.push_back(dimension.drawn(uniform));
    config_of(arguments, sweep_directory, trial_of(plan.parameters, values));
  }
}

// Trials that are compared while the sweep runs need what compares them.
void require_measured(const RunConfig& config, const SweepPlan& plan) {
  if (!plan.learns()) return;
  const DataConfig& data = config.data;
  if (config.eval.eval_strategy == "no" ||
      (data.validation_file.empty() && data.validation_split == 0 && data.fold.empty()))
    throw ConfigError(concat(plan.pruning ? "sweep.pruning" : "sweep.method \"tpe\"",
                             " compares trials by their evaluations; name data.validation_file or "
                             "data.validation_split, and no eval.eval_strategy = \"no\""));
}

}  // namespace

ExitCode sweep(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  SweepPlan plan;
  Communicator& control = job.control();
  together(control, [&] {
    loaded = load_run(arguments.target, arguments.overrides);
    plan = plan_sweep(loaded.config.sweep, static_cast<uint64_t>(loaded.config.seed), whole_numbers(), dotted_keys());
    plan.asked = asked_measure(loaded.config.eval);
    if (arguments.index >= static_cast<int64_t>(plan.num_trials))
      throw ConfigError(concat("--index ", arguments.index, ": the sweep has ", plan.num_trials, " trials, 0 to ",
                               plan.num_trials - 1));
    for (const Trial& trial : plan.trials)  // a wrong key shows before the first trial
      config_of(arguments, loaded.config.output_dir, trial);
    require_searched_keys(arguments, loaded.config.output_dir, plan);
    require_measured(loaded.config, plan);
  });
  const std::string directory = loaded.config.output_dir;
  const bool speaks = control.rank() == 0;
  require_agreement(control, [&] { return run_facts(loaded.config); });
  if (arguments.slurm || arguments.list) {
    if (speaks && arguments.slurm) print_sbatch(arguments, plan);
    together(control, [&] {
      if (speaks && arguments.list) print_trials(plan, directory);
    });
    return ExitCode::done;
  }
  const size_t first = arguments.index < 0 ? 0 : static_cast<size_t>(arguments.index);
  const size_t end = arguments.index < 0 ? plan.num_trials : first + 1;
  if (speaks)
    for (const std::string& warning : loaded.warnings) log::warn(warning);
  together(control, [&] {
    if (!speaks) return;
    take_sweep_directory(directory);
    if (arguments.index < 0) real_files().remove_all(directory + "/exit_status");  // of an earlier start
  });
  const SweepFolder folder(directory, plan);
  SweepPlan made = plan;
  made.trials.clear();
  std::vector<ExitCode> codes;
  for (size_t i = first; i < end; ++i) {
    const NextTrial next = next_trial(arguments, directory, folder, i, control);
    if (!next.trial) {
      if (speaks) log::info(concat("no settings were found that were not tried: the sweep ends after ", i, " trials"));
      break;
    }
    if (max(control, stop_requested() != 0 ? 1 : 0) > 0) {
      if (speaks) log::info(concat("stopped between trials; the same command goes on with ", next.trial->name));
      job.report_exit_to(directory);
      return ExitCode::requeue;
    }
    together(control, [&] {
      if (speaks && i == 0 && arguments.index < 0) drop_results(directory);
    });
    const ExitCode code = run_trial(arguments, directory, next, concat(i + 1, " of ", plan.num_trials), job);
    if (code == ExitCode::requeue) return code;  // a signal is for the whole sweep
    if (plan.learns() && !settles(code)) {       // later trials need what comes of this one
      if (speaks) log::info(concat("the sweep stops here; the same command goes on with ", next.trial->name));
      job.report_exit_to(directory);
      return code;
    }
    together(control, [&] {
      if (speaks) folder.end(i, *next.trial, code);
    });
    made.trials.push_back(*next.trial);
    codes.push_back(code);
  }
  if (arguments.index < 0)
    together(control, [&] {
      if (speaks) conclude_sweep(made, codes, directory);
    });
  job.report_exit_to(directory);
  return codes.empty() ? ExitCode::done : *std::ranges::max_element(codes);
}

}  // namespace sft
