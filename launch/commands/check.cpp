// Will this run fit, and how long will it take? All that a dry run looks at, and a few updates on the ranks of the job.
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/preflight/preflight.h"

namespace sft {
namespace {

constexpr int64_t kTriedUpdates = 20;
constexpr double kTriedSeconds = 10;

void fact(const std::string& name, const std::string& value) {
  std::cout << std::left << std::setw(12) << name << value << '\n';
}

// Of the nearest folder above `path` that is there.
int64_t free_bytes(std::filesystem::path path) {
  path = std::filesystem::absolute(path);
  while (path != path.root_path() && !std::filesystem::exists(path)) path = path.parent_path();
  return real_files().free_bytes(path);
}

// Checkpoints that may be there at once: those that are kept, the best beside them, and the one that is being written.
// One is written at each time of its own, at each evaluation that may be the best, and at the end.
int64_t most_checkpoints(const Assembly& run, int64_t per_epoch) {
  const RunConfig& config = run.config();
  const SaveConfig& save = config.save;
  const auto times = [&](const Cadence& of) { return of.every > 0 ? (run.total_steps + of.every - 1) / of.every : 0; };
  int64_t written = times(cadence(save.save_strategy, save.save_steps, per_epoch, run.total_steps));
  if (run.evaluator && (config.eval.load_best_model_at_end || save.save_strategy == "best"))
    written += times(cadence(config.eval.eval_strategy, config.eval.eval_steps, per_epoch, run.total_steps));
  written = std::clamp<int64_t>(written, 1, run.total_steps);
  return save.save_total_limit == 0 ? written : std::min(written, save.save_total_limit + 2);
}

std::string update_time(double seconds) {
  return seconds < 1 ? concat(std::setprecision(3), seconds * 1e3, " ms") : human_seconds(seconds);
}

std::string rows_text(const Assembly& run) {
  std::string text = human_count(static_cast<double>(run.data.train->size())) + " to train";
  if (run.data.validation)
    text += concat(", ", human_count(static_cast<double>(run.data.validation->size())), " of validation");
  if (run.data.test) text += concat(", ", human_count(static_cast<double>(run.data.test->size())), " of test");
  return text;
}

void print(const Assembly& run, const Preflight& found, int local_ranks) {
  const RunConfig& config = run.config();
  const double epoch = found.seconds_per_update * static_cast<double>(found.updates_per_epoch);
  const double whole = found.seconds_per_update * static_cast<double>(run.total_steps);
  const int64_t checkpoints = most_checkpoints(run, found.updates_per_epoch);
  const double disk = static_cast<double>(checkpoints * found.checkpoint_bytes + found.model_bytes);
  const auto room = static_cast<double>(free_bytes(config.output_dir));
  const double of_host = static_cast<double>(found.peak_rss_bytes) * local_ranks;
  const double free =
      std::min(static_cast<double>(found.available_bytes), static_cast<double>(memory_limit_bytes()) - of_host);
  fact("rows", rows_text(run));
  fact("updates", concat(human_count(static_cast<double>(run.total_steps)), " of ", run.global_batch_size, " rows, ",
                         human_count(static_cast<double>(found.updates_per_epoch)), " an epoch, on ",
                         run.world.control.size(), run.world.control.size() == 1 ? " rank" : " ranks"));
  fact("time",
       concat(update_time(found.seconds_per_update), " an update (mean of ", found.measured, "), ",
              human_seconds(epoch), " an epoch, ", human_seconds(whole), " in all; evaluation and saving come to it",
              config.freeze.cache == "off" ? ""
                                           : ", and freeze.cache takes frozen stages away from it; what the cache "
                                             "holds is not in the numbers below"));
  fact("memory", concat(human_bytes(static_cast<double>(found.peak_rss_bytes)), " a rank, ", human_bytes(of_host),
                        " on this host, which has ", human_bytes(static_cast<double>(memory_limit_bytes())), " and ",
                        human_bytes(free), " free beside them, until the last of these updates"));
  if (run.world.device.is_cuda())
    fact("GPU memory",
         concat(human_bytes(static_cast<double>(found.peak_device_bytes)), " (", found.peak_device_bytes,
                " bytes) of tensors a rank at their peak; the driver's and NCCL's comes to it"));
  fact("disk",
       concat(human_bytes(static_cast<double>(found.checkpoint_bytes)), " a checkpoint, ", checkpoints,
              " at once; with the model ", human_bytes(disk), "; ", human_bytes(room), " free at ", config.output_dir));
  std::cout << std::flush;
  if (disk > room)
    log::warn(
        concat("the disk has not the room: a lower save.save_total_limit, save.save_only_model = true or another "
               "output_dir helps"));
  if (free < 0.05 * static_cast<double>(memory_limit_bytes()))
    log::warn("hardly any memory is left: a lower train.max_tokens_per_micro_batch or fewer ranks on a host help");
  log::info("nothing was saved; the run starts with the same command without check");
}

}  // namespace

ExitCode check(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  together(job.control(), [&] { loaded = load_run(arguments.target, arguments.overrides); });
  const bool speaks = job.control().rank() == 0;
  if (speaks)
    for (const std::string& warning : loaded.warnings) log::warn(warning);
  const RunConfig config = loaded.config;
  require_agreement(job.control(), [&] { return run_facts(config); });
  job.show_progress(config.log.progress);
  const auto run = assemble(std::move(loaded), job.world(config.device, num_threads(config), config.comm));
  const Preflight found = try_updates(*run, kTriedUpdates, kTriedSeconds);
  if (speaks) print(*run, found, job.placement().local_world);
  return ExitCode::done;
}

}  // namespace sft
