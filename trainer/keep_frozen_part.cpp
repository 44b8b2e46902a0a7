#include "trainer/keep_frozen_part.h"

#include "base/errors.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/activation_cache.h"
#include "trainer/activation_file.h"
#include "trainer/run_settings.h"

namespace sft {
namespace {

// Undefined unless every rank has it.
at::Tensor found_by_all(const std::string& directory, const std::string& key, Communicator& control) {
  at::Tensor rows;
  together(control, [&] {
    try {
      rows = read_activations(directory, key);
    } catch (const DataError& error) {
      if (control.rank() == 0) log::warn(concat(error.what(), "; what the frozen stages give is computed again"));
    }
  });
  return min(control, int64_t{rows.defined()}) > 0 ? rows : at::Tensor();
}

// A run needs no file: where none can be written, that is told.
void leave_for_later_runs(const std::string& directory, const std::string& key, const at::Tensor& rows,
                          Communicator& control) {
  together(control, [&] {
    if (control.rank() != 0) return;
    try {
      write_activations(real_files(), directory, key, rows);
    } catch (const StorageError& error) {
      log::warn(concat("freeze.cache = \"disk\": ", error.what(), "; kept in memory, for this run alone"));
    }
  });
}

std::unique_ptr<ActivationCache> keep(Assembly& run, const Dataset& dataset, const std::string& what) {
  const RunConfig& config = run.config();
  Communicator& control = run.world.control;
  const Stopwatch watch;
  const std::string directory = prepared_directory(config);
  const bool on_disk = config.freeze.cache == "disk";
  const std::string key = on_disk ? activation_key(*run.learner, dataset, config.model.dtype) : "";
  at::Tensor rows = on_disk ? found_by_all(directory, key, control) : at::Tensor();
  const bool is_new = !rows.defined();
  if (is_new) {
    rows = frozen_activations(*run.learner, dataset, control, evaluator_settings(config, run.world.device));
    if (on_disk) {
      leave_for_later_runs(directory, key, rows, control);
      if (const at::Tensor mapped = found_by_all(directory, key, control); mapped.defined()) rows = mapped;
    }
  }
  auto kept = std::make_unique<ActivationCache>(dataset, rows);
  if (control.rank() == 0)
    log::info(concat(is_new ? "kept what the frozen stages give for " : "found what the frozen stages give for ",
                     human_count(static_cast<double>(dataset.size())), " ", what,
                     " rows: ", human_bytes(static_cast<double>(kept->bytes())),
                     on_disk ? " in " + directory : " a rank", ", in ", human_seconds(watch.seconds())));
  return kept;
}

}  // namespace

void check_cache(const Assembly& run) {
  const RunConfig& config = run.config();
  if (config.freeze.cache == "off") return;
  const auto refuse = [&](const char* why) {
    throw ConfigError(concat("freeze.cache = ", quoted(config.freeze.cache), ": ", why));
  };
  if (!run.learner->has_frozen_part())
    refuse("the lowest stage trains, so nothing stays the same (freeze.all_but_last)");
  if (augmentation_of(config, run.data.train->info()).changes())
    refuse("data.crop = \"random\" and data.horizontal_flip change an image at every draw");
  if (run.learner->model().moves_where_frozen())
    refuse("freeze.freeze_batch_norm_statistics = false lets the statistics of frozen parts move");
}

void keep_frozen_part(Assembly& run) {
  if (run.config().freeze.cache == "off") return;
  run.learner->keep(keep(run, *run.data.train, "training"));
  if (run.evaluator) run.evaluator->keep(keep(run, *run.data.validation, "validation"));
}

}  // namespace sft
