// A run's model, a model directory's, or that of an adapter merged into its base, in Hugging Face layout or as an ONNX
// graph, under a directory of its own.
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/log.h"
#include "base/output_file.h"
#include "base/progress.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/loaded_model.h"
#include "launch/ownership.h"
#include "launch/read_as.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "trainer/assembly/exported_files.h"
#include "trainer/assembly/onnx_export.h"
#include "trainer/assembly/run_card.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/model_files/adapter_files.h"
#include "trainer/model_files/model_export.h"
#include "trainer/onnx/graph_file.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// A directory of a model, or of an adapter, which says itself what its task is.
bool is_model(const std::string& target) {
  const auto has = [&](const char* name) { return fs::is_regular_file(fs::path(target) / name); };
  return has(kAdapterConfig) || (has("config.json") && !has("config.toml"));
}

// A link that leads nowhere is there too, and is nobody's to replace.
void refuse_to_overwrite(const std::string& option, const std::string& directory) {
  if (directory.empty()) return;
  std::error_code none;
  if (fs::exists(fs::symlink_status(directory, none)))
    throw ConfigError(concat(option, " ", directory, " exists already; nothing is overwritten"));
  for (fs::path above = fs::absolute(directory).lexically_normal().parent_path(); above.has_relative_path();
       above = above.parent_path())
    if (fs::exists(above, none) && !fs::is_directory(above, none))
      throw ConfigError(concat(option, " ", directory, " would be in ", in_quotes(above.string(), 400),
                               ", which is no directory; name another one"));
}

// "": no graph is wanted.
std::string graph_directory(const Arguments& arguments) {
  const auto found = arguments.forms.find("--onnx");
  return found == arguments.forms.end() ? "" : found->second;
}

void refuse_wrong_outputs(const Arguments& arguments, const StringList& read) {
  const std::string graph = graph_directory(arguments);
  if (arguments.output.empty() && graph.empty())
    throw Error(ExitCode::usage, "say what to make: --output DIR, --onnx DIR, or both", Reach::everywhere);
  refuse_to_overwrite("--output", arguments.output);
  refuse_to_overwrite("--onnx", graph);
  for (const auto& [option, directory] : {std::pair{"--output", arguments.output}, {"--onnx", graph}})
    if (!directory.empty()) refuse_among_ours(option, directory, read);
  if (graph.ends_with(".onnx"))
    throw ConfigError(concat("--onnx ", graph, ": wanted a directory to make, in which ", onnx::kGraphFile,
                             " stands beside config.json and the tokenizer"));
  if (graph.empty() || arguments.output.empty()) return;
  if (lies_in(graph, arguments.output) || lies_in(arguments.output, graph))
    throw ConfigError("--output and --onnx name one directory, or one in the other; each makes its own");
}

// Of a checkpoint by the step in its name, of model/ by what the run says that it exported.
std::string card_for(const std::string& source, const RunConfig& config, const std::string& library) {
  const std::string name = fs::absolute(fs::path(source) / "").lexically_normal().parent_path().filename().string();
  constexpr std::string_view kPrefix = "checkpoint-";
  int64_t step = 0;
  if (name.starts_with(kPrefix))
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), step);
  else if (const auto summary = nlohmann::json::parse(read_file(config.output_dir + "/summary.json"), nullptr, false);
           summary.is_object()) {
    const nlohmann::json told = summary.value("before", summary);  // of a run that goes on
    step = told.value("exported_step", told.value("global_step", int64_t{0}));
  }
  std::string base = config.model.model_name_or_path;
  try {
    base = ModelDirectory(base).path();
  } catch (const Error&) {  // it is gone since: the card says less
  }
  const bool is_checkpoint = fs::exists(fs::path(source) / kManifestName);
  return card_of(config, base, library, step, is_checkpoint ? CardOf::checkpoint : CardOf::final_model);
}

// The model is what was asked for: it is exported without a card where none can be made.
NamedFiles with_card(NamedFiles files, const std::string& source, const RunConfig& config, const std::string& library) {
  try {
    files.emplace_back("README.md", card_for(source, config, library));
  } catch (const std::exception& error) {
    log::warn(concat("no model card: ", error.what()));
  }
  return files;
}

}  // namespace

ExitCode export_run(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  std::string source;
  together(job.control(), [&] {
    if (is_model(arguments.target)) {
      if (arguments.checkpoint != "best")
        throw ConfigError(concat("--checkpoint chooses among those of a run, and ", arguments.target, " is a model"));
      source = arguments.target;
      loaded.config = settings_of_model(ModelDirectory(source));
    } else {
      loaded = load_run(arguments.target);
      source = checkpoint_directory(loaded.config, arguments.checkpoint);
      settle_reading(loaded, ModelDirectory(source));
    }
    StringList read = read_by(loaded.config);
    read.push_back(source);
    refuse_wrong_outputs(arguments, read);
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
    const NamedFiles files = exported_files(*model.directory, *model.learner, of_model, model.tokenizer.get());
    const auto beside = [&](const char* library) {
      return is_model(arguments.target) ? files : with_card(files, source, config, library);
    };
    if (const std::string graph = graph_directory(arguments); !graph.empty()) {
      export_onnx(graph, *model.learner, beside("optimum"), config);
      log::info(concat(source, " exported to ", graph, ", as ONNX"));
    }
    if (arguments.output.empty()) return;
    export_model(real_files(), arguments.output, model.learner->whole(), beside("transformers"),
                 export_form(config, model.learner->model().config()));
    log::info(concat(source, " exported to ", arguments.output));
  });
  return ExitCode::done;
}

}  // namespace sft
