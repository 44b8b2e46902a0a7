#include "trainer/assembly/make_learner.h"

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"
#include "trainer/adapters/freeze.h"
#include "trainer/assembly/adapter_export.h"
#include "trainer/assembly/check_fit.h"
#include "trainer/assembly/exported_files.h"
#include "trainer/assembly/run_settings.h"

namespace sft {
namespace {

void say_what_trains(const Model& model, const Parameters& parameters, const std::vector<bool>& trained) {
  log::info(summary_of(parameters, trained));
  if (std::vector<std::string> names = model.stage_names(); !names.empty()) {
    names.resize(static_cast<size_t>(model.pooler_stage()));
    log::info(layers_of(std::move(names), parameters, trained));
  }
}

// Training images that windows are taken from may be of any size.
Needs needs_of_stored(Needs needs, const RunConfig& config) {
  for (Need& need : needs)
    if ((config.data.crop == "random_resized" || !config.data.random_scale.empty()) && is_picture(need.column))
      need.column.shape[0] = need.column.shape[1] = 0;
  return needs;
}

}  // namespace

std::unique_ptr<Learner> make_learner(Assembly& run, Built built) {
  const RunConfig& config = run.config();
  check_fit(config, *built.model, run.data, *run.directory);
  check_spread_parameters(config, *built.model);
  std::vector<bool> trained = trained_parameters(config.freeze, *built.model, *built.task, built.adapters);
  if (run.world.control.rank() == 0)
    say_what_trains(*built.model, all_parameters(*built.model, *built.task, built.adapters), trained);
  if (config.deterministic && built.model->has_batch_norms() && config.train.batch_norm != "frozen")
    throw ConfigError(
        concat("deterministic = true is not built for train.batch_norm = ", in_quotes(config.train.batch_norm),
               ": what a norm sees depends on how a batch is cut; set it to \"frozen\""));
  auto learner = std::make_unique<Learner>(
      std::move(built.model), std::move(built.task), std::move(trained),
      LearnerSettings{.device = run.world.device, .recomputes = config.train.gradient_checkpointing},
      std::move(built.adapters), std::move(built.from_files));
  run.files = exported_files(*run.directory, *learner, config, run.data.tokenizer.get());
  if (!learner->adapters().empty()) run.adapter_files = adapter_files(*learner, config, *run.directory);
  const Shard mine{run.world.control.rank(), run.world.control.size()};
  run.data.train->require(needs_of_stored(learner->needs(), config), mine);
  for (const auto* split : {&run.data.validation, &run.data.test})
    if (*split) (*split)->require(learner->needs(), mine);
  return learner;
}

}  // namespace sft
