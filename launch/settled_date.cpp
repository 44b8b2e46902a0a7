#include "launch/settled_date.h"

#include <filesystem>

#include "base/errors.h"
#include "comm/agree.h"
#include "data/text/chat_template.h"
#include "launch/run_directory.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// The run that this start goes on with; "" where it begins.
std::string run_gone_on_with(const RunConfig& config) {
  const std::string& from = config.resume_from_checkpoint;
  if (from == "none") return "";
  return from == "auto" ? config.output_dir : fs::path(from + "/").lexically_normal().parent_path().parent_path().string();
}

// Builds of before kept "": the day of each of their starts.
std::string date_of(const RunConfig& config) {
  const std::string run = run_gone_on_with(config);
  if (run.empty() || !fs::exists(fs::path(run) / "config.toml")) return today();
  try {
    return kept_config(run).data.chat.date;
  } catch (const ConfigError&) {
    return "";
  }
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
