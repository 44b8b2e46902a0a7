#include "trainer/assembly/trainer_settings.h"

#include "base/text.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/config/training_keys.h"

namespace sft {
namespace {

Penalty penalty_of(const Assembly& run) {
  const TrainConfig& train = run.config().train;
  Penalty penalty{.l1 = train.l1, .l2 = train.l2, .l2_from_start = train.l2_from_start, .start = {}};
  if (train.l2_from_start > 0) penalty.start = start_of(*run.update.arena, run.learner().from_files().given);
  return penalty;
}

// Of the plugin that has a loss or a metric of this name; "": none.
std::string plugin_of(const Assembly& run, const std::string& name) {
  const std::string digest = run.plugins ? run.plugins->digest_of(name) : "";
  return digest.empty() ? "" : concat(", plugin of SHA-256 ", digest);
}

// Settings of `now` that are not the usual ones, by key.
template <class Config>
nlohmann::json changes(const Config& usual, const Config& now) {
  const nlohmann::json before = to_json(usual), after = to_json(now);
  nlohmann::json told = nlohmann::json::object();
  for (const auto& [key, value] : after.items())
    if (before.at(key) != value) told[key] = value;
  return told;
}

// What alters a score beside the rows, where it is not as usual; "": all is, or the score is the loss, which none of it
// alters.
std::string unusual_scoring(const RunConfig& config, const std::string& metric) {
  if (metric == "loss") return "";
  const RunConfig usual;
  nlohmann::json told = changes(usual.eval.scores, config.eval.scores);
  for (const char* alters_none : {"metrics", "tune_thresholds", "temperature_scaling"}) told.erase(alters_none);
  if (config.eval.scores.answers.generate)
    if (const nlohmann::json answers = changes(usual.generate, config.generate); !answers.empty())
      told["answers"] = answers;
  return told.empty() ? "" : concat(kScoredWith, told.dump());
}

}  // namespace

TrainerSettings trainer_settings(const Assembly& run) {
  const RunConfig& config = run.config();
  const int64_t per_epoch = run.update.loader->batches_per_epoch();
  std::string evaluations = config.eval.eval_strategy;
  if (evaluations == "auto") evaluations = run.evaluator ? "epoch" : "no";
  TrainerSettings settings;
  settings.total_steps = run.total_steps;
  settings.max_grad_norm = config.train.max_grad_norm;
  settings.penalty = penalty_of(run);
  settings.evaluations = cadence(evaluations, config.eval.eval_steps, per_epoch, run.total_steps);
  settings.saves = cadence(config.save.save_strategy, config.save.save_steps, per_epoch, run.total_steps);
  settings.selection = selection(config, run.learner().task());
  if (run.data.validation)
    settings.selection.measured_by =
        concat(settings.selection.metric, settings.selection.greater_is_better ? ", greater" : ", less", " is better, ",
               run.data.validation->info().fingerprint, ", ", run.data.validation->size(), " rows",
               plugin_of(run, settings.selection.metric), unusual_scoring(config, settings.selection.metric));
  settings.resumes = config.resume_from_checkpoint != "none";
  if (settings.resumes && config.resume_from_checkpoint != "auto")
    settings.resume_directory = config.resume_from_checkpoint;
  settings.save_only_model = config.save.save_only_model;
  settings.max_seconds = seconds_of(config.train.max_time, "train.max_time");
  if (config.save.save_on_signal) settings.stop_requested = run.world.stop_requested;
  settings.settings = training_keys(config, run.global_batch_size, run.data.train->info().fingerprint);
  settings.settings["labels"] = run.data.labels.names;  // a fingerprint knows ids alone
  settings.files = run.files;
  settings.files.insert(settings.files.end(), run.adapter_files.begin(), run.adapter_files.end());
  settings.settings["model_files"] = run.model_files;
  if (!run.base_checksum.empty()) settings.settings["base_weights"] = run.base_checksum;
  if (const std::string digest = plugin_of(run, config.train.loss.kind); !digest.empty())
    settings.settings["plugin_of_loss"] = "SHA-256 " + digest;
  return settings;
}

}  // namespace sft
