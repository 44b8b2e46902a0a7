#include "trainer/assembly/ended_run.h"

#include <filesystem>

#include "base/file_ops.h"
#include "base/text.h"
#include "trainer/assembly/trainer_settings.h"
#include "trainer/config/training_keys.h"

namespace sft {
namespace {

std::string identity_of(const Dataset* dataset) {
  return dataset == nullptr ? "" : concat(dataset->info().fingerprint, ", ", dataset->size(), " rows");
}

// Null where there is none.
nlohmann::ordered_json summary_in(const std::string& output_dir) {
  const std::string path = output_dir + "/summary.json";
  if (!std::filesystem::is_regular_file(path)) return {};
  auto summary = nlohmann::ordered_json::parse(read_file(path), nullptr, false);
  return summary.is_object() ? summary : nlohmann::ordered_json();
}

std::optional<EndedRun> end_told_by(const nlohmann::ordered_json& summary) {
  if (!summary.is_object()) return {};
  const std::string reason = summary.value("exit_reason", "");
  if ((reason != "finished" && reason != "early_stopping") || !summary.contains("training")) return {};
  const nlohmann::json training = summary["training"];
  return EndedRun{.stopped_early = reason == "early_stopping",
                  .step = summary.value("global_step", int64_t{0}),
                  .evaluations_without_gain = training.value("evaluations_without_gain", int64_t{0}),
                  .settings = training.value("settings", nlohmann::json::object()),
                  .validation_data = training.contains("validation_data")
                                         ? std::optional(training["validation_data"].get<std::string>())
                                         : std::nullopt,
                  .test_data = training.value("test_data", "")};
}

}  // namespace

std::optional<EndedRun> read_ended_run(const std::string& output_dir) { return end_told_by(summary_in(output_dir)); }

std::optional<EndedRun> read_last_end(const std::string& output_dir) {
  const nlohmann::ordered_json summary = summary_in(output_dir);
  return end_told_by(summary.is_object() ? summary.value("before", summary) : summary);
}

void reopen_summary(const std::string& output_dir) {
  nlohmann::ordered_json before = summary_in(output_dir);
  if (!before.is_object() || before.value("exit_reason", nlohmann::ordered_json()) == kGoingOn) return;
  nlohmann::ordered_json opened{{"exit_reason", kGoingOn}};
  for (const char* key : {"global_step", "total_steps"}) opened[key] = before.value(key, nlohmann::ordered_json());
  if (!end_told_by(before) && before.contains("before")) before = nlohmann::ordered_json(before["before"]);
  before.erase("before");
  opened["before"] = std::move(before);
  write_atomically(real_files(), output_dir + "/summary.json",
                   opened.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

nlohmann::ordered_json end_before(const std::string& output_dir) {
  const nlohmann::ordered_json summary = summary_in(output_dir);
  const auto before = summary.is_object() ? summary.value("before", summary) : summary;
  return end_told_by(before) ? before : nlohmann::ordered_json();
}

nlohmann::ordered_json record_of(const Assembly& run) {
  return {{"evaluations_without_gain", run.trainer->state().evaluations_without_gain},
          {"validation_data", identity_of(run.data.validation.get())},
          {"test_data", identity_of(run.data.test.get())},
          {"settings", trainer_settings(run).settings}};
}

bool is_validated_on_others(const EndedRun& ended, const Assembly& run) {
  return !run.config().data.validation_file.empty() && ended.validation_data &&
         identity_of(run.data.validation.get()) != *ended.validation_data;
}

Left left_of(const EndedRun& ended, const Assembly& run) {
  const std::string& directory = run.config().output_dir;
  check_same_training(ended.settings, trainer_settings(run).settings, directory);
  check_not_shorter(ended.step, run.total_steps, directory);
  const int64_t patience = run.config().eval.early_stopping_patience;
  const bool goes_on = ended.stopped_early ? patience == 0 || ended.evaluations_without_gain < patience : true;
  if (ended.step < run.total_steps && goes_on) return Left::training;
  return run.data.test && identity_of(run.data.test.get()) != ended.test_data ? Left::test : Left::nothing;
}

}  // namespace sft
