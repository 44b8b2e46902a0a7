// A run's model in Hugging Face layout, or that of an adapter merged into its base, under a directory of its own.
#include <filesystem>

#include "base/log.h"
#include "base/progress.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/loaded_model.h"
#include "launch/read_as.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "trainer/assembly/exported_files.h"
#include "trainer/model_files/adapter_files.h"
#include "trainer/model_files/model_export.h"

namespace sft {
namespace {

bool is_adapter(const std::string& target) {
  return std::filesystem::exists(std::filesystem::path(target) / kAdapterConfig);
}

}  // namespace

ExitCode export_run(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  std::string source;
  together(job.control(), [&] {
    if (is_adapter(arguments.target)) {
      source = arguments.target;
      loaded.config = settings_of_model(ModelDirectory(source));
    } else {
      loaded = load_run(arguments.target);
      source = checkpoint_directory(loaded.config, arguments.checkpoint);
    }
    if (std::filesystem::exists(arguments.output))
      throw ConfigError(concat("--output ", arguments.output, " exists already; nothing is overwritten"));
  });
  const RunConfig& config = loaded.config;
  require_agreement(job.control(), [&] { return served_facts(config, source, {}); });
  const LoadedModel model = load_model(source, config, job.world("cpu", config.threads, config.comm));
  const Phase phase("export");
  together(job.control(), [&] {
    leave_if_asked();
    if (job.control().rank() != 0) return;
    RunConfig of_model = config;
    if (const int64_t length = model.directory->model_max_length(); length > 0) of_model.data.max_length = length;
    export_model(real_files(), arguments.output, model.learner->whole(),
                 exported_files(*model.directory, *model.learner, of_model, model.tokenizer.get()),
                 export_form(config, model.learner->model().config()));
    log::info(concat(source, " exported to ", arguments.output));
  });
  return ExitCode::done;
}

}  // namespace sft
