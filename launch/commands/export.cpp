// A run's model in Hugging Face layout, or that of an adapter merged into its base, under a directory of its own.
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

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
#include "trainer/assembly/run_card.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/model_files/adapter_files.h"
#include "trainer/model_files/model_export.h"

namespace sft {
namespace {

bool is_adapter(const std::string& target) {
  return std::filesystem::exists(std::filesystem::path(target) / kAdapterConfig);
}

// Of a checkpoint by the step in its name, of model/ by what the run says that it exported.
std::string card_for(const std::string& source, const RunConfig& config) {
  namespace fs = std::filesystem;
  const std::string name = fs::absolute(fs::path(source) / "").lexically_normal().parent_path().filename().string();
  constexpr std::string_view kPrefix = "checkpoint-";
  int64_t step = 0;
  if (name.starts_with(kPrefix))
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), step);
  else if (const auto summary = nlohmann::json::parse(read_file(config.output_dir + "/summary.json"), nullptr, false);
           summary.is_object())
    step = summary.value("exported_step", summary.value("global_step", int64_t{0}));
  std::string base = config.model.model_name_or_path;
  try {
    base = ModelDirectory(base).path();
  } catch (const Error&) {  // it is gone since: the card says less
  }
  const bool is_checkpoint = fs::exists(fs::path(source) / kManifestName);
  return card_of(config, base, "transformers", step, is_checkpoint ? CardOf::checkpoint : CardOf::final_model);
}

// The model is what was asked for: it is exported without a card where none can be made.
void add_card(const std::string& source, const RunConfig& config, NamedFiles& files) {
  try {
    files.emplace_back("README.md", card_for(source, config));
  } catch (const std::exception& error) {
    log::warn(concat("no model card: ", error.what()));
  }
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
  const LoadedModel model = load_model(source, without_plugins(config), job.world("cpu", config.threads, config.comm));
  const TimedPhase phase("export");
  together(job.control(), [&] {
    leave_if_asked();
    if (job.control().rank() != 0) return;
    RunConfig of_model = config;
    if (const int64_t length = model.directory->model_max_length(); length > 0) of_model.data.max_length = length;
    NamedFiles files = exported_files(*model.directory, *model.learner, of_model, model.tokenizer.get());
    if (!is_adapter(arguments.target)) add_card(source, config, files);
    export_model(real_files(), arguments.output, model.learner->whole(), files,
                 export_form(config, model.learner->model().config()));
    log::info(concat(source, " exported to ", arguments.output));
  });
  return ExitCode::done;
}

}  // namespace sft
