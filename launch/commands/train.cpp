// The main job.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/commands/train_run.h"
#include "launch/how_to_stop.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "launch/settled_date.h"
#include "launch/starts.h"
#include "trainer/assembly/assemble.h"
#include "trainer/assembly/conclude.h"
#include "trainer/assembly/ended_run.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/checkpoint/run_directory.h"
#include "trainer/optim/schedule.h"
#include "trainer/tasks/recipes/target.h"

namespace sft {
namespace {

// What an earlier run in the same directory leaves to do; everything where there was none.
// Every rank reads the record, and the one that knows of most to do decides: a file system may show an older state to
// another host, and no rank may go home alone.
Left left_to_do(const Assembly& run, Communicator& control) {
  if (run.config().resume_from_checkpoint != "auto") return Left::training;
  Left left = Left::training;
  together(control, [&] {
    if (const auto ended = read_ended_run(run.config().output_dir)) left = left_of(*ended, run);
  });
  return static_cast<Left>(max(control, static_cast<int64_t>(left)));
}

// Training that goes on needs the checkpoint where it ended: without it, it would begin anew over its own results.
void require_resumed(const Assembly& run) {
  const std::string& directory = run.config().output_dir;
  if (run.config().resume_from_checkpoint == "auto" && run.trainer->state().step == 0 && read_last_end(directory))
    throw ConfigError(concat(directory,
                             " holds a finished run whose checkpoints are gone, so it cannot go on. Another "
                             "output_dir, or overwrite_output_dir = true, starts anew"));
}

void say_finished(const Assembly& run) {
  const std::string& directory = run.config().output_dir;
  log::info(concat("this run is finished already: ", directory, "/summary.json has its results"));
  if (const auto ended = read_ended_run(directory); ended && is_validated_on_others(*ended, run))
    log::warn(concat("the validation rows are not those of this run, whose scores stand; sft-dist evaluate ", directory,
                     " --file ", join(run.config().data.validation_file, " "), " tells its scores on these"));
  for (const Difference& change : differences(kept_config(directory), run.config()))
    if (change.key.starts_with("eval.") || change.key.starts_with("generate.") || change.key == "lora.export")
      log::warn(concat(change.key, " was ", change.before, " in this run; ", change.after, " has no effect any more"));
}

std::string targets_of(const Assembly& run) {
  const Labels& labels = run.data.labels;
  if (labels.names.empty()) return "";
  return concat(" with ", labels.names.size(), labels.problem_type == kRealNumbers ? " real targets" : " labels");
}

void introduce(const Assembly& run) {
  const RunConfig& config = run.config();
  log::info(concat(config.model.model_name_or_path, " for ", config.model.task, targets_of(run), "; ",
                   human_count(static_cast<double>(run.data.train->size())), " rows, ", run.total_steps, " updates of ",
                   run.global_batch_size, " rows on ", run.world.control.size(),
                   run.world.control.size() == 1 ? " rank" : " ranks", " (", run.world.gradients.backend(), ", ",
                   run.world.device.str(), ")"));
}

// What is never reached shows in no loss.
void warn_of_a_long_warm_up(const Assembly& run) {
  const SchedulerConfig& scheduler = run.config().scheduler;
  const int64_t warm_up = warmup_updates(scheduler.warmup_steps, run.total_steps);
  if (warm_up > run.total_steps && scheduler.lr_scheduler_type != "constant")
    log::warn(concat("scheduler.warmup_steps is ", warm_up, ", and the run has ", run.total_steps,
                     " updates: the rate never comes to optim.learning_rate. Below 1 it is a share of all updates"));
}

void say_how_to_stop() {
  std::string parent;
  std::ifstream(concat("/proc/", ::getppid(), "/comm")) >> parent;
  const std::string advice = how_to_stop(parent, ::getppid());
  if (!advice.empty()) log::info(advice);
}

void dry_run(const Assembly& run) {
  std::cout << to_toml(run.config());
  log::info("dry run: nothing was trained");
}

// That it is missing was told.
std::string report_in(const std::string& directory) {
  const std::string path = directory + "/report.html";
  return std::filesystem::exists(path) ? "   report: " + path : "";
}

// What the same command does after this one: a verb and where it takes the run up.
std::string next_start(const Assembly& run) {
  const std::vector<int64_t> steps = steps_to_resume(run.config().output_dir);
  const std::string& from = run.config().resume_from_checkpoint;
  if (from != "auto" && from != "none") return concat("starts from ", from, " again");
  if (steps.empty() || from == "none") return "begins anew";
  if (run.config().save.save_only_model)
    return "is refused, as no checkpoint of save.save_only_model = true can be gone on from";
  const bool is_here = steps.front() == run.trainer->state().step;
  return concat("goes on from ", is_here ? "there" : concat("checkpoint-", steps.front()));
}

// Tells of a run whose last checkpoint could not be saved.
void say_unsaved(const Assembly& run, ExitCode code) {
  const std::string start = next_start(run);
  log::error(concat("the last checkpoint, of step ", run.trainer->state().step, " of ", run.total_steps,
                    ", could not be saved, so this run has not ended; the same command ", start, " (exit ",
                    static_cast<int>(code), ")"));
}

void say_where(const Assembly& run, StopReason reason, ExitCode code) {
  const std::string& directory = run.config().output_dir;
  if (code == ExitCode::cannot_write)
    say_unsaved(run, code);
  else if (reason == StopReason::pruned)
    log::info(concat("pruned at step ", run.trainer->state().step, " of ", run.total_steps,
                     ": other trials were better after ", run.trainer->state().evaluations, " evaluations"));
  else if (code == ExitCode::done)
    log::info(concat("model: ", exported_by(directory), report_in(directory), "   numbers: ", directory,
                     "/summary.json"));
  else if (run.trainer->state().has_learned_nothing())
    log::info(
        concat("stopped before an update was made; the same command begins anew (exit ", static_cast<int>(code), ")"));
  else
    log::info(concat("stopped at step ", run.trainer->state().step, " of ", run.total_steps,
                     " with a checkpoint; the same command ", next_start(run), " (exit ", static_cast<int>(code), ")"));
}

}  // namespace

ExitCode train_run(LoadedConfig loaded, Job& job, const Cutoffs& cutoffs) {
  const RunConfig config = loaded.config;
  const bool speaks = job.control().rank() == 0;
  require_agreement(job.control(), [&] { return run_facts(config); });
  job.show_progress(config.log.progress);
  const auto lock = claim_run_directory(loaded, job.control());
  settle_date(loaded, job.control());
  job.report_exit_to(config.output_dir);
  together(job.control(), [&] {
    if (speaks) begin_start(config.output_dir);
  });
  const auto run = assemble(std::move(loaded), job.world(config.device, num_threads(config), config.comm));
  run->checkpoints->guard_with(lock.get());
  if (speaks) introduce(*run);
  if (left_to_do(*run, job.control()) == Left::nothing) {
    if (speaks) say_finished(*run);
    return ExitCode::done;
  }
  if (speaks) warn_of_a_long_warm_up(*run);
  if (speaks) say_how_to_stop();
  resume(*run);
  together(job.control(), [&] { require_resumed(*run); });
  keep_config(run->loaded, job.control());
  const StopReason reason = run->trainer->run(cutoffs);
  together(job.control(), [&] {
    if (lock) lock->require_held();  // rank 0 has it
  });
  const ExitCode code = conclude(*run, reason);
  if (speaks) say_where(*run, reason, code);
  return code;
}

ExitCode train_run(LoadedConfig loaded, Job& job) { return train_run(std::move(loaded), job, {}); }

ExitCode train(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  together(job.control(), [&] { loaded = load_run(arguments.target, arguments.overrides); });
  const bool speaks = job.control().rank() == 0;
  if (speaks)
    for (const std::string& warning : loaded.warnings) log::warn(warning);
  if (speaks && !loaded.config.sweep.empty())
    log::warn(concat(place_of(loaded.origins, "sweep"), "sweep has no effect: only `sft-dist sweep` reads it"));
  if (!arguments.dry_run) return train_run(std::move(loaded), job);
  const RunConfig config = loaded.config;
  require_agreement(job.control(), [&] { return run_facts(config); });
  job.show_progress(config.log.progress);
  const auto run = assemble(std::move(loaded), job.world(config.device, num_threads(config), config.comm));
  if (speaks) introduce(*run);
  if (speaks) warn_of_a_long_warm_up(*run);
  if (speaks) dry_run(*run);
  return ExitCode::done;
}

}  // namespace sft
