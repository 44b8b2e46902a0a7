#include "trainer/assembly/make_activation_cache.h"

#include <algorithm>

#include "base/errors.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/assembly/datasets.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/learner/activation_file.h"
#include "trainer/learner/compute_activations.h"

namespace sft {
namespace {

// Undefined unless every rank has it.
Activations found_by_all(const std::string& directory, const std::string& key, Communicator& control) {
  Activations all;
  together(control, [&] {
    try {
      all = read_activations(directory, key);
    } catch (const DataError& error) {
      if (control.rank() == 0)
        log::warn(concat(error.what(), "; the activations of the frozen stages are computed again"));
    }
  });
  return min(control, int64_t{all.rows.defined()}) > 0 ? all : Activations();
}

// A run needs no file: where none can be written, that is told.
void leave_for_later_runs(const std::string& directory, const std::string& key, const Activations& all,
                          Communicator& control) {
  together(control, [&] {
    if (control.rank() != 0) return;
    try {
      write_activations(real_files(), directory, key, all);
    } catch (const StorageError& error) {
      log::warn(concat("freeze.cache = \"disk\": ", error.what(), "; cached in memory, for this run alone"));
    }
  });
}

}  // namespace

void check_cache(const RunConfig& config, const Learner& learner, const Schema& schema) {
  if (config.freeze.cache == "off") return;
  const auto refuse = [&](const char* why) {
    throw ConfigError(concat("freeze.cache = ", in_quotes(config.freeze.cache), ": ", why));
  };
  if (!learner.has_frozen_stages()) refuse("the lowest stage trains, so nothing stays the same (freeze.all_but_last)");
  if (augmentation_of(config, schema).changes())
    refuse("data.crop = \"random\" or \"random_resized\" and data.horizontal_flip change an image at every draw");
  for (int stage = 0; stage < std::min(learner.first_trained(), learner.model().num_stages()); ++stage)
    if (learner.model().moves_where_frozen(stage))
      refuse("freeze.freeze_batch_norm_statistics = false lets the statistics of frozen parts move");
}

std::unique_ptr<ActivationCache> make_activation_cache(const RunConfig& config, Learner& learner,
                                                       const Dataset& dataset, const std::string& what,
                                                       Communicator& control, const EvalLoaderConfig& loading) {
  const Stopwatch watch;
  const std::string directory = prepared_directory(config);
  const bool on_disk = config.freeze.cache == "disk";
  const std::string key = on_disk ? activation_key(learner, dataset, config.model.dtype) : "";
  Activations all = on_disk ? found_by_all(directory, key, control) : Activations();
  const bool is_new = !all.rows.defined();
  if (is_new) {
    all = compute_activations(learner, dataset, control, loading);
    if (on_disk) {
      leave_for_later_runs(directory, key, all, control);
      if (Activations mapped = found_by_all(directory, key, control); mapped.rows.defined()) all = std::move(mapped);
    }
  }
  auto cache = std::make_unique<ActivationCache>(std::move(all));
  if (control.rank() == 0)
    log::info(concat(is_new ? "cached the activations of the frozen stages for "
                            : "found the cached activations of the frozen stages for ",
                     human_count(static_cast<double>(dataset.size())), " ", what,
                     " rows: ", human_bytes(static_cast<double>(cache->bytes())),
                     on_disk ? " in " + directory : " a rank", ", in ", human_seconds(watch.seconds())));
  return cache;
}

}  // namespace sft
