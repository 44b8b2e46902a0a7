#include "trainer/assembly/settle_decisions.h"

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/assembly/exported_files.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/metrics/thresholds.h"

namespace sft {
namespace {

bool are_tuned(const RunConfig& config) { return config.eval.scores.tune_thresholds != "no"; }

Evaluation on_validation(const Assembly& run) {
  Evaluator::Settings settings = evaluator_settings(run.config(), run.world.device);
  settings.outputs = true;
  return Evaluator(run.learner(), *run.data.validation, run.world.control, settings).run();
}

// Probabilities of output k of each sample, from logits divided by the temperature, beside its truth.
std::vector<ScoredSample> scored(const std::vector<double>& rows, size_t width, size_t k, Squash squash,
                                 double temperature) {
  std::vector<ScoredSample> samples;
  for (size_t row = 0; row < rows.size(); row += 2 * width) {
    const double *truth = &rows[row], *logit = &rows[row + width];
    double others = squash == Squash::sigmoid ? 1 : 0;
    const double against = squash == Squash::sigmoid ? 0 : logit[k];
    if (squash == Squash::sigmoid)
      others = 1 + std::exp(-logit[k] / temperature);
    else
      for (size_t j = 0; j < width; ++j) others += std::exp((logit[j] - against) / temperature);
    const double* const likeliest = std::max_element(truth, truth + width);
    samples.push_back({1 / others, squash == Squash::sigmoid ? truth[k] != 0 : likeliest == truth + k});
  }
  return samples;
}

// Rank 0's for all: the ranks of a job may round differently.
double of_first(double value, Communicator& control) {
  control.broadcast(Buffer::of(value), 0);
  return value;
}

double settle_temperature(Assembly& run, const Evaluation& before) {
  Deciding& deciding = *run.learner().task().deciding();
  const double temperature =
      of_first(best_temperature(before.outputs, run.data.labels.names.size(), deciding.squash()), run.world.control);
  together(run.world.control, [&] { deciding.divide_logits(temperature); });
  return temperature;
}

nlohmann::ordered_json settle_thresholds(Assembly& run, const Evaluation& before, double temperature) {
  const RunConfig& config = run.config();
  Deciding& deciding = *run.learner().task().deciding();
  const StringList& names = run.data.labels.names;
  const StringList labels = deciding.thresholded();
  std::vector<double> thresholds;
  StringList untuned;
  for (size_t k = names.size() - labels.size(); k < names.size(); ++k) {
    const auto best = best_threshold(config.eval.scores.tune_thresholds,
                                     scored(before.outputs, names.size(), k, deciding.squash(), temperature));
    if (!best) untuned.push_back(names[k]);
    const double usual = deciding.squash() == Squash::sigmoid ? config.eval.scores.threshold : 0.5;
    thresholds.push_back(of_first(best.value_or(usual), run.world.control));
  }
  deciding.set_thresholds(thresholds);
  if (!untuned.empty() && run.world.control.rank() == 0)
    log::warn(concat("eval.tune_thresholds: the validation rows all have, or all lack, ", join(untuned, ", "),
                     ": no threshold is better than another, and ", untuned.size() == 1 ? "its" : "theirs", " stays"));
  nlohmann::ordered_json by_label;
  for (size_t k = 0; k < labels.size(); ++k) by_label[labels[k]] = thresholds[k];
  return by_label;
}

}  // namespace

void check_decisions(const RunConfig& config, Task& task) {
  const Deciding* deciding = task.deciding();
  if (config.eval.scores.temperature_scaling && deciding == nullptr)
    throw ConfigError(
        "eval.temperature_scaling is for tasks that give a sample labels by their probability: classes and sets of "
        "labels of texts, classes of images");
  if (config.eval.scores.temperature_scaling && !deciding->has_own_output())
    throw ConfigError(
        "eval.temperature_scaling divides the weights of a task's own output layer, and this model has one of its own; "
        "give it a new one: model.config = { output_layer = \"new\" }");
  if (are_tuned(config) && (deciding == nullptr || deciding->thresholded().empty()))
    throw ConfigError(
        "eval.tune_thresholds is for sets of labels and for two classes; of more classes the likeliest is given");
}

nlohmann::ordered_json settle_decisions(Assembly& run) {
  const RunConfig& config = run.config();
  if (!are_tuned(config) && !config.eval.scores.temperature_scaling) return nullptr;
  const TimedPhase phase("thresholds");
  const Evaluation before = on_validation(run);
  if (!before.finite || before.outputs.empty()) {
    log::warn_once(
        "the outputs of the model are not finite in some validation rows: no threshold or temperature is set");
    return nullptr;
  }
  double temperature = 1;
  nlohmann::ordered_json settled;
  if (config.eval.scores.temperature_scaling) settled["temperature"] = temperature = settle_temperature(run, before);
  if (are_tuned(config)) settled["thresholds"] = settle_thresholds(run, before, temperature);
  together(run.world.control,
           [&] { run.files = exported_files(*run.directory, run.learner(), config, run.data.tokenizer.get()); });
  const Evaluation after = on_validation(run);
  settled["rows"] = before.samples;
  for (const auto& [name, evaluation] : {std::pair{"before", &before}, {"after", &after}}) {
    settled[name] = evaluation->metrics;
    settled[name]["calibration"] = evaluation->details.at("calibration");
  }
  if (run.world.control.rank() == 0)
    log::info(concat("settled on ", before.samples, " validation rows",
                     config.eval.scores.temperature_scaling ? concat(": temperature ", temperature) : "",
                     are_tuned(config) ? concat("; thresholds: ", settled["thresholds"].dump()) : "",
                     ". config.json of model/ has the thresholds as sft_dist_thresholds, which transformers keeps and "
                     "does not apply; the temperature is in the weights of its output layer"));
  return settled;
}

}  // namespace sft
