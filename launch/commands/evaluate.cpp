// Metrics of a run's model on one of its splits or on another file.
#include <iostream>

#include "base/errors.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/loaded_model.h"
#include "launch/read_as.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/loop/evaluator.h"
#include "trainer/model_files/model_directory.h"

namespace sft {
namespace {

struct Rows {
  std::string split;
  StringList files;
  bool held_out = false;  // what data.validation_split or data.fold holds back of the files, not all of them
};

// --file, or the split that was asked for, or the one that the config has.
Rows rows_of(const Arguments& arguments, const LoadedConfig& loaded) {
  const DataConfig& data = loaded.config.data;
  const Accepts accepts = accepted_by(loaded.config.model.task);
  if (!arguments.file.empty()) return {"file", expand_files({arguments.file}, "--file", loaded.origins, accepts)};
  const bool held_out = data.validation_file.empty() && holds_out(data);
  const bool has_validation = held_out || !data.validation_file.empty();
  const bool test = arguments.split == "test" || (arguments.split.empty() && !has_validation);
  const auto& [files, key] = test       ? std::pair(data.test_file, "data.test_file")
                             : held_out ? std::pair(data.train_file, "data.train_file")
                                        : std::pair(data.validation_file, "data.validation_file");
  if (files.empty()) throw ConfigError(concat("the config names no ", key, "; give rows with --file"));
  return {test ? "test" : "validation", expand_files(files, key, loaded.origins, accepts), !test && held_out};
}

}  // namespace

ExitCode evaluate(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  std::string directory;
  Rows asked;
  together(job.control(), [&] {
    loaded = load_run(arguments.target);
    directory = checkpoint_directory(loaded.config, arguments.checkpoint);
    take_own_template(directory, loaded.config.data);
    settle_reading(loaded, ModelDirectory(directory));
    asked = rows_of(arguments, loaded);
  });
  const RunConfig& config = loaded.config;
  require_agreement(job.control(), [&] { return served_facts(config, directory, asked.files); });
  job.show_progress(config.log.progress);
  const World world = job.world(config.device, config.threads, config.comm);
  const LoadedModel model = load_model(directory, config, world);
  const auto rows =
      asked.held_out
          ? open_held_out(asked.files, loaded, model.tokenizer.get(), model.labels, job.control())
          : open_split(asked.split, asked.files, config.data, prepared_directory(config), task_named(config.model.task),
                       model.tokenizer.get(), model.labels, true, job.control());
  together(job.control(), [&] { rows->require(model.learner->needs(), {job.control().rank(), job.control().size()}); });
  Evaluator::Settings settings = evaluator_settings(config, world.device);
  settings.answers.generate = model.generate;
  settings.may_leave = leave_if_asked;
  const Evaluation evaluation = Evaluator(*model.learner, *rows, job.control(), settings).run();
  if (!evaluation.finite)
    throw Error(ExitCode::not_finite,
                concat(directory,
                       ": the outputs of the model are not finite (NaN or infinite) in some rows, so none of its "
                       "scores is a number: are its weights those of its config.json, and does model.dtype hold its "
                       "numbers?"),
                Reach::everywhere);
  if (job.control().rank() == 0) {
    nlohmann::ordered_json out{{"model", directory}, {"split", asked.split}, {"samples", evaluation.samples}};
    for (const auto& [name, value] : evaluation.metrics.items()) out["eval_" + name] = value;
    out["details"] = evaluation.details;
    std::cout << out.dump(2) << std::endl;
  }
  return ExitCode::done;
}

}  // namespace sft
