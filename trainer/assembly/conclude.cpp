#include "trainer/assembly/conclude.h"

#include <algorithm>
#include <ctime>
#include <span>

#include "base/log.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/text.h"
#include "comm/agree.h"
#include "comm/lone_work.h"
#include "trainer/assembly/adapter_export.h"
#include "trainer/assembly/ended_run.h"
#include "trainer/assembly/exported_files.h"
#include "trainer/assembly/make_explaining.h"
#include "trainer/assembly/row_places.h"
#include "trainer/assembly/run_card.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/assembly/settle_decisions.h"
#include "trainer/assembly/told_mistakes.h"
#include "trainer/loop/row_writer.h"
#include "trainer/metrics/row_margins.h"
#include "trainer/model_files/adapter_files.h"
#include "trainer/model_files/model_export.h"
#include "trainer/model_files/tensor_refs.h"
#include "trainer/report/report.h"

namespace sft {
namespace {

std::vector<int64_t> of_every_rank(int64_t mine, Communicator& control) {
  std::vector<int64_t> all(static_cast<size_t>(control.size()));
  control.all_gather(Buffer::of(mine), Buffer::of(std::span<int64_t>(all)));
  return all;
}

std::string now_in_utc() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::tm parts{};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", ::gmtime_r(&now, &parts));
  return text;
}

void load_best(Assembly& run) {
  const RunState& state = run.trainer->state();
  if (!run.config().eval.load_best_model_at_end) return;
  if (state.best_checkpoint.empty()) {
    log::warn_once(concat(state.best_metric ? "no checkpoint was saved at the best evaluation"
                                            : "no evaluation gave the metric of the best model a number",
                          ": the last model is left, not the best"));
    return;
  }
  const FoundCheckpoint best = run.checkpoints->open(run.config().output_dir + "/" + state.best_checkpoint);
  HostTensors model(named_tensors(run.learner().restored())), no_optimizer({});
  run.checkpoints->load(best, model.refs(), no_optimizer.refs());
  model.write_back();
  if (run.world.control.rank() != 0) return;
  const Selection rule = selection(run.config(), run.learner().task());
  const double reached = state.best_metric.value_or(0);
  log::info(concat("the best model is of step ", best.step, ": eval_", rule.metric, " ", reached));
  if (reached == 0 && rule.greater_is_better)
    log::warn(concat("eval_", rule.metric, " never was more than 0: train longer or at another rate; of sets of labels ",
                     "a lower eval.threshold gives more of them"));
}

// The model, the adapters merged into it, and the adapters alone.
void export_run(const Assembly& run) {
  const RunConfig& config = run.config();
  const Learner& learner = run.learner();
  learner.require_base_unchanged();
  const Exports left = exports_of(run);
  if (left.model)
    export_model(real_files(), config.output_dir + "/model", learner.whole(), run.files,
                 export_form(config, learner.model().config()));
  if (left.adapter) {
    NamedFiles beside = run.files;
    beside.insert(beside.end(), run.adapter_files.begin(), run.adapter_files.end());
    export_model(real_files(), config.output_dir + "/adapter", peft_tensors(learner), beside,
                 {.weights = kAdapterWeights,
                  .metadata = {{"format", "pt"}, {kBaseWeights, run.model_files.value("weights", "")}}});
  }
}

Evaluation evaluate_test(Assembly& run) {
  Evaluator::Settings settings = evaluator_settings(run.config(), run.world.device);
  std::unique_ptr<Explaining> explaining = explaining_of(run);
  if (explaining)
    settings.also_tell = [&](const Batch& batch, std::vector<std::string>& predictions) {
      explaining->explain(batch, predictions);
    };
  Evaluator evaluator(run.learner(), *run.data.test, run.world.control, settings);
  const Task& task = run.learner().task();
  RowWriter rows(
      run.config().output_dir + "/predictions.jsonl", run.config().output_dir + "/.predictions", *run.data.test,
      [&](const std::vector<std::string>& samples) { return task.prediction_of_row(samples); }, run.world.control,
      real_files());
  Evaluation evaluation = evaluator.run([&](int64_t sample, const std::string& json) { rows.add(sample, json); });
  rows.publish();
  return evaluation;
}

// Files that are gone by now cost the places, not the run.
RowPlaces places_if_readable(const std::vector<int64_t>& rows, const Assembly& run) {
  try {
    return places_of(rows, RowsOf::training, run);
  } catch (const std::exception& error) {
    log::warn(concat("doubted rows are told without their places: ", error.what()));
    return {};
  }
}

// Every rank calls. A line for each training row, in the data's order.
void leave_margins(Assembly& run) {
  if (run.margins == nullptr) return;
  run.margins->gather(run.world.control);
  while_others_wait(run.world.control, "margins", [&] {
    const Dataset& dataset = *run.data.train;
    std::vector<RowMargins> rows;
    std::vector<int64_t> doubted;
    for (int64_t i = 0; i < dataset.size(); ++i) {
      beat();
      std::vector<RowMargin> epochs = run.margins->of(i);
      if (std::ranges::none_of(epochs, &RowMargin::is_drawn)) continue;
      rows.push_back(told_of(dataset.row(i), std::move(epochs), run.data.labels.names));
      if (rows.back().is_doubted()) doubted.push_back(rows.back().row);
    }
    const auto places = places_if_readable(doubted, run);
    std::string lines;
    for (RowMargins& row : rows) {
      if (const auto place = places.find(row.row); place != places.end()) {
        row.place = place->second.place;
        row.text = place->second.text;
      }
      lines += to_line(row);
    }
    write_atomically(real_files(), concat(run.config().output_dir, "/", kRowMarginsFile), lines);
  });
}

// Names of files may hold any bytes.
void write_summary(const std::string& directory, const nlohmann::ordered_json& summary) {
  const std::string text = summary.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  write_atomically(real_files(), directory + "/summary.json", text);
}

// Reads the rows of validation once more. What it cannot add costs the run nothing.
void leave_places(const Assembly& run, nlohmann::ordered_json& summary, nlohmann::ordered_json details) {
  try {
    add_places(run, details);
    summary["metrics"]["details"] = std::move(details);
    write_summary(run.config().output_dir, summary);
  } catch (const std::exception& error) {
    log::warn(concat("wrong rows of validation are told without their texts: ", error.what()));
  }
}

// Every rank calls, for what each has of its own.
nlohmann::ordered_json summary_of(const Assembly& run, const std::string& reason) {
  Communicator& control = run.world.control;
  const RunState& state = run.trainer->state();
  const double seconds = state.seconds;
  const Selection chosen = selection(run.config(), run.learner().task());
  nlohmann::ordered_json summary{
      {"global_step", state.step},
      {"total_steps", run.total_steps},
      {"epoch", run.trainer->epoch()},
      {"train_samples", state.samples},
      {"train_tokens", state.tokens},
      {"train_runtime", seconds},
      {"train_samples_per_second", seconds > 0 ? static_cast<double>(state.samples) / seconds : 0},
      {"first_step_seconds", run.trainer->first_step_seconds()},
      {"skipped_updates", state.skipped_updates},
      {"trained_parameters", run.update.arena->num_parameters()},
      {"bytes_reduced_per_step", run.update.gradients->bytes_reduced()},
      {"metrics", state.last_evaluation},
      {"test_metrics", nullptr},
      {"best_metric", nullptr},
      {"metric_for_best_model", concat("eval_", chosen.metric)},
      {"greater_is_better", chosen.greater_is_better},
      {"best_global_step", state.best_step},
      {"best_model_checkpoint", state.best_checkpoint},
      {"peak_rss_bytes", of_every_rank(peak_rss_bytes(), control)},
      {"train_bytes_read", of_every_rank(run.data.train->bytes_read(), control)},
      {"world_size", control.size()},
      {"ended_at", now_in_utc()},
      {"exit_reason", reason}};
  if (state.best_metric) summary["best_metric"] = *state.best_metric;
  return summary;
}

// A run whose last checkpoint is not durable has not ended, whatever it leaves: the same command is to go on.
ExitCode code_of(StopReason reason, bool is_saved) {
  if (!is_saved) return ExitCode::cannot_write;
  return reason == StopReason::signal || reason == StopReason::max_time ? ExitCode::requeue : ExitCode::done;
}

}  // namespace

ExitCode conclude(Assembly& run, StopReason reason) {
  Communicator& control = run.world.control;
  const std::string& directory = run.config().output_dir;
  const bool whole = reason == StopReason::finished || reason == StopReason::early_stopping;
  const bool is_saved = run.trainer->is_saved();
  const ExitCode code = code_of(reason, is_saved);
  nlohmann::ordered_json test = nullptr, decided = nullptr;
  if (whole) {
    const auto all_parameters = run.update.gradients->whole();
    load_best(run);
    run.learner().task().conclude();
    decided = settle_decisions(run);
    const TimedPhase phase("export");
    together(control, [&] {
      if (control.rank() == 0) export_run(run);
    });
    leave_margins(run);
    if (run.data.test) {
      const Evaluation evaluation = evaluate_test(run);
      test = evaluation.metrics;
      test["samples"] = evaluation.samples;
      test["seconds"] = evaluation.seconds;
      test["details"] = evaluation.details;
    }
  }
  nlohmann::ordered_json summary = summary_of(run, is_saved ? name_of(reason) : kNotSaved);
  summary["test_metrics"] = test;
  summary["margins"] = whole && run.margins != nullptr;
  if (!decided.is_null()) summary["decisions"] = decided;
  if (run.plugins)
    for (const auto& [path, digest] : run.plugins->files())
      summary["plugins"].push_back({{"file", path}, {"sha256", digest}});
  summary["exit_code"] = static_cast<int>(code);
  run.telemetry->summarize(summary, run.trainer->state().step);
  summary["training"] = record_of(run);
  summary["data"] = data_counts(run);
  if (whole) summary["exported_step"] = exported_step(run);
  nlohmann::ordered_json& last = summary["metrics"];
  const nlohmann::ordered_json counted = last.is_object() ? last.value("details", nlohmann::ordered_json()) : nullptr;
  if (!counted.is_null()) leave_out_unsure_words(last["details"]);
  together(control, [&] {
    if (control.rank() != 0) return;
    if (nlohmann::ordered_json before = whole ? nullptr : end_before(directory); !before.is_null())
      summary["before"] = std::move(before);
    write_summary(directory, summary);
  });
  if (!whole) return code;
  while_others_wait(control, "report", [&] {
    if (!counted.is_null()) leave_places(run, summary, counted);
    leave_cards(run, exported_step(run));
    leave_report(directory);
  });
  return code;
}

}  // namespace sft
