// Scalars for TensorBoard, under the names that transformers' TensorBoardCallback gives them.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>

#include "base/file_ops.h"
#include "base/text.h"
#include "trainer/telemetry/event.h"
#include "trainer/telemetry/event_record.h"
#include "trainer/telemetry/record_file.h"

namespace sft {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// eval_x and test_x have their own charts, all else is of training.
std::string tag_of(const std::string& name) {
  for (const std::string group : {"eval", "test"})
    if (name.starts_with(group + "_")) return group + "/" + name.substr(group.size() + 1);
  return "train/" + name;
}

// What a chart can show: numbers, and those that are not finite by their names.
std::optional<float> scalar_of(const nlohmann::ordered_json& value) {
  using Limits = std::numeric_limits<float>;
  if (value.is_number()) return value.get<float>();
  if (value == "NaN") return Limits::quiet_NaN();
  if (value == "Infinity") return Limits::infinity();
  if (value == "-Infinity") return -Limits::infinity();
  return std::nullopt;
}

// TensorBoard reads the files of a directory in the order of their names.
std::string file_name() {
  static std::atomic<int> count{0};
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return concat("events.out.tfevents.", static_cast<int64_t>(now()), ".", host, ".", ::getpid(), ".", count++);
}

using Scalars = std::vector<std::pair<std::string, float>>;

Scalars scalars_of(const nlohmann::ordered_json& values, const std::string& prefix) {
  Scalars scalars;
  for (const auto& [name, value] : values.items())
    if (const auto scalar = scalar_of(value); scalar && name != "step")
      scalars.emplace_back(tag_of(prefix + name), *scalar);
  return scalars;
}

// A run that stopped to go on later has not ended.
bool is_end(const Event& event) {
  return event.kind == Event::Kind::summary && event.values.value("exit_code", 0) == 0;
}

Scalars scalars_of(const Event& event) {
  if (event.kind != Event::Kind::summary) return scalars_of(event.values, "");
  const auto test = event.values.find("test_metrics");
  return test != event.values.end() && test->is_object() ? scalars_of(*test, "test_") : Scalars();
}

}  // namespace

Sink make_tensorboard(const std::string& directory, int64_t resumed_step, const nlohmann::ordered_json& settings) {
  real_files().make_directory(directory);
  const auto file = std::make_shared<RecordFile>(concat(directory, "/", file_name()));
  file->append(version_record(now()));
  file->append(start_record(now(), resumed_step + 1));
  if (!settings.empty()) file->append(settings_record(now(), settings));
  return [file, is_on_board = !settings.empty()](const Event& event) {
    if (const Scalars scalars = scalars_of(event); !scalars.empty())
      file->append(scalars_record(now(), event.step, scalars));
    if (is_on_board && is_end(event)) file->append(ended_record(now()));
  };
}

}  // namespace sft
