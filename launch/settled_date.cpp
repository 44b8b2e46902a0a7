#include "launch/settled_date.h"

#include <filesystem>
#include <optional>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "comm/agree.h"
#include "data/text/chat_template.h"
#include "launch/run_directory.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/run_directory.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// Nothing where it cannot be read: whoever opens it says why.
std::optional<std::string> date_of_checkpoint(const std::string& directory) {
  const std::string path = concat(directory, "/", kManifestName);
  try {
    const nlohmann::json settings = parse_manifest(read_file(path), path).settings;
    return settings.value("data", nlohmann::json::object()).value("date", "");
  } catch (const Error&) {
    return {};
  }
}

std::optional<std::string> date_of_run(const std::string& directory) {
  if (const std::vector<int64_t> steps = steps_to_resume(directory); !steps.empty())
    if (auto date = date_of_checkpoint(checkpoint_path(directory, steps.front()))) return date;
  try {
    if (fs::exists(fs::path(directory) / "config.toml")) return kept_config(directory).data.chat.date;
  } catch (const ConfigError&) {
  }
  return {};
}

// "" is kept too, as builds of before wrote it: the day of each of their starts.
std::string date_of(const RunConfig& config) {
  const std::string& from = config.resume_from_checkpoint;
  if (from == "none") return today();
  return (from == "auto" ? date_of_run(config.output_dir) : date_of_checkpoint(from)).value_or(today());
}

}  // namespace

void settle_date(LoadedConfig& loaded, Communicator& control) {
  RunConfig& config = loaded.config;
  if (config.model.task != "causal_lm" || !config.data.chat.date.empty()) return;
  std::string date;
  together(control, [&] {
    if (control.rank() == 0) date = date_of(config);
  });
  config.data.chat.date = broadcast_from(control, date);
}

}  // namespace sft
