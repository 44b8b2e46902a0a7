// The main job.
#include <filesystem>
#include <iostream>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/run_directory.h"
#include "trainer/assembly/assemble.h"
#include "trainer/assembly/conclude.h"
#include "trainer/assembly/run_settings.h"

namespace sft {
namespace {

// A summary that says so, for as many updates as the config now asks for.
bool is_finished_already(const Assembly& run) {
  const std::string path = run.config().output_dir + "/summary.json";
  if (run.config().resume_from_checkpoint != "auto" || !std::filesystem::exists(path)) return false;
  const auto summary = nlohmann::json::parse(read_file(path), nullptr, false);
  if (!summary.is_object()) return false;
  const std::string reason = summary.value("exit_reason", "");
  return (reason == "finished" && summary.value("global_step", int64_t{-1}) >= run.total_steps) ||
         reason == "early_stopping";
}

void introduce(const Assembly& run) {
  const RunConfig& config = run.config();
  log::info(concat(config.model.model_name_or_path, " for ", config.model.task, " with ", run.data.labels.names.size(),
                   run.data.labels.target == TargetForm::values ? " real targets; " : " labels; ",
                   human_count(static_cast<double>(run.data.train->size())), " rows, ", run.total_steps, " updates of ",
                   run.global_batch_size, " rows on ", run.world.control.size(),
                   run.world.control.size() == 1 ? " rank" : " ranks", " (", run.world.gradients.backend(), ", ",
                   run.world.device.str(), ")"));
}

void dry_run(const Assembly& run) {
  std::cout << to_toml(run.config());
  log::info("dry run: nothing was trained");
}

void say_where(const Assembly& run, ExitCode code) {
  const std::string& directory = run.config().output_dir;
  if (code == ExitCode::done)
    log::info(concat("model: ", directory, "/model   report: ", directory, "/report.html   numbers: ", directory,
                     "/summary.json"));
  else
    log::info(concat("stopped at step ", run.trainer->state().step, " of ", run.total_steps,
                     " with a checkpoint; the same command goes on from there (exit ", static_cast<int>(code), ")"));
}

}  // namespace

ExitCode train(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  together(job.control(), [&] { loaded = load_run(arguments.target, arguments.overrides); });
  const RunConfig config = loaded.config;
  const bool speaks = job.control().rank() == 0;
  if (speaks)
    for (const std::string& warning : loaded.warnings) log::warn(warning);
  const auto lock = arguments.dry_run ? nullptr : claim_run_directory(loaded, job.control());
  if (!arguments.dry_run) job.report_exit_to(config.output_dir);

  const auto run = assemble(std::move(loaded), job.world(config.device, num_threads(config), config.comm));
  run->checkpoints->guard_with(lock.get());
  if (speaks) introduce(*run);
  if (arguments.dry_run) {
    if (speaks) dry_run(*run);
    return ExitCode::done;
  }
  bool finished = false;
  together(job.control(), [&] { finished = is_finished_already(*run); });
  if (finished) {
    if (speaks) log::info(concat("this run is finished already: ", config.output_dir, "/summary.json has its results"));
    return ExitCode::done;
  }
  const StopReason reason = train(*run);
  const ExitCode code = conclude(*run, reason);
  if (speaks) say_where(*run, code);
  return code;
}

}  // namespace sft
