// Raw rows in, one prediction a row out, in input order.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/failpoint.h"
#include "base/file_ops.h"
#include "base/log.h"
#include "base/stop_request.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "comm/agree.h"
#include "data/loading/loader.h"
#include "data/prepare/input.h"
#include "data/readers/reader.h"
#include "launch/commands/commands.h"
#include "launch/loaded_model.h"
#include "launch/ownership.h"
#include "launch/read_as.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "launch/scratch.h"
#include "launch/shaped_predictions.h"
#include "launch/standard_input.h"
#include "trainer/assembly/ended_run.h"
#include "trainer/assembly/make_explaining.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/checkpoint/run_directory.h"
#include "trainer/loop/evaluator.h"
#include "trainer/loop/row_writer.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

// The user's word for what a message calls by its key.
[[noreturn]] void rethrow_by_option(const Error& error) {
  std::string message = error.what();
  for (const auto& [key, option] :
       {std::pair{"data.text_column", "--text-column"}, {"data.text_pair_column", "--text-pair-column"}})
    if (const size_t at = message.find(key); at != std::string::npos) message.replace(at, std::strlen(key), option);
  throw Error(error.code(), message, error.reach());
}

StringList what_is_read(const Arguments& arguments, const ReadAs& read_as) {
  StringList files = read_as.files;
  const ModelDirectory model(read_as.model);  // of an adapter: its base too
  files.insert(files.end(), {read_as.model, model.path(), arguments.target + "/config.toml"});
  if (read_as.assumes) return files;
  const StringList of_run = read_by(read_as.config);  // what it was trained on is not to be lost either
  files.insert(files.end(), of_run.begin(), of_run.end());
  return files;
}

constexpr char kHeatMaps[] = "--heat-maps";

// A file that the user asked for beside the rows.
struct OtherOutput {
  PredictionsForm form;
  std::string path;
};

struct Outputs {
  std::string rows;
  std::string heat_maps;  // a directory; "": none
  std::vector<OtherOutput> others;
};

bool is_asked(const Arguments& arguments, const PredictionsForm& form) {
  const auto given = arguments.forms.find(form.option);
  return given != arguments.forms.end() && !given->second.empty();
}

// Error where a form is asked for that the task's predictions do not have.
Outputs outputs_of(const Arguments& arguments, const std::string& task, StringList read) {
  const bool is_file = !is_standard(arguments.output);
  Outputs outputs{is_file ? output_beside_runs("--output", arguments.output, read) : arguments.output, "", {}};
  read.push_back(outputs.rows);
  if (const auto maps = arguments.forms.find(kHeatMaps); maps != arguments.forms.end() && !maps->second.empty()) {
    if (arguments.explain.empty())
      throw Error(ExitCode::usage, concat(kHeatMaps, " shows explanations; say --explain too"), Reach::everywhere);
    outputs.heat_maps = output_beside_runs(kHeatMaps, maps->second, read);
    read.push_back(outputs.heat_maps);
  }
  for (const TaskKind& kind : tasks())
    for (const PredictionsForm& form : kind.forms) {
      if (!is_asked(arguments, form)) continue;
      outputs.others.push_back({form, output_beside_runs(form.option, arguments.forms.at(form.option), read)});
      if (task != kind.name)
        throw Error(ExitCode::usage, concat(form.option, " is of ", kind.name, ", and the model's task is ", task),
                    Reach::everywhere);
      read.push_back(outputs.others.back().path);
    }
  return outputs;
}

// Which of a run's models predicts, and where `evaluate` takes another one.
void say_model(const std::string& run, const std::string& model, const RunConfig& config) {
  RunConfig of_run = config;
  of_run.output_dir = run;
  const std::vector<int64_t> steps = steps_to_resume(run);
  const std::string last = steps.empty() ? "" : checkpoint_path(run, steps.front());
  const auto ended = read_last_end(run);
  const bool goes_on = ended && !steps.empty() && steps.front() > ended->step;
  const std::string evaluated = checkpoint_directory(of_run, "best");
  if (goes_on && model == exported_by(run))
    log::warn(concat(model, " is older than ", last, ", with which the run goes on; it predicts"));
  else if (evaluated != model && evaluated != last)
    log::warn(concat("evaluate takes ", evaluated, ", the best so far; ", model, " predicts"));
  else
    log::info(concat("model: ", model));
}

// Nobody needs what is said here in order to predict.
void say_what_predicts(const Arguments& arguments, const ReadAs& read_as, const LoadedModel& model) {
  try {
    read_as.assumes ? say_assumptions(model, read_as.config)
                    : say_model(arguments.target, read_as.model, read_as.config);
  } catch (const std::exception& error) {
    log::warn(concat(read_as.model, " predicts; whether evaluate takes it too is not known: ", error.what()));
  }
}

std::unique_ptr<Dataset> open_rows(const StringList& files, const RunConfig& config, const std::string& scratch,
                                   const LoadedModel& model, Communicator& control) {
  try {
    return open_split("input", files, config.data, scratch, task_named(config.model.task), model.tokenizer.get(),
                      model.labels, false, control);
  } catch (const Error& error) {
    rethrow_by_option(error);
  }
}

// What a scratch directory is called after: the output where it is a file. Other ranks read it, so that it stands where
// all of them look.
std::string scratch_name(const std::string& output, const Communicator& control) {
  namespace fs = std::filesystem;
  if (!is_standard(output) && fs::is_directory(fs::absolute(output).parent_path()))
    return fs::absolute(output).string();
  std::error_code none;
  const fs::path here = control.size() > 1 ? fs::current_path() : fs::temp_directory_path(none);
  if (none)
    throw ConfigError(
        concat("the directory for temporary files, which TMPDIR names, cannot be used: ", none.message()));
  return (here / "sft-dist-predict").string();
}

// Rows in place of "-", which rank 0 reads.
Arguments with_standard_input(Arguments arguments, const std::string& directory, Communicator& control) {
  std::string kept;
  together(control, [&] {
    if (control.rank() == 0) kept = keep_standard_input(directory);
  });
  std::ranges::replace(arguments.inputs, std::string("-"), broadcast_from(control, kept));
  return arguments;
}

}  // namespace

ExitCode predict(const Arguments& given, Job& job) {
  std::optional<Scratch> piped;
  Arguments arguments = given;
  if (std::ranges::find(given.inputs, "-") != given.inputs.end()) {
    piped.emplace(scratch_name(given.output, job.control()) + ".stdin", job.control());
    arguments = with_standard_input(given, piped->path(), job.control());
  }
  PredictionShape shape{arguments.keep, arguments.top_k};
  ReadAs read_as;
  Outputs outputs;
  together(job.control(), [&] {
    read_as = settle_reading(arguments);
    shape.ranked = task_named(read_as.config.model.task).ranked;
    outputs = outputs_of(arguments, read_as.config.model.task, what_is_read(arguments, read_as));
    require_kept(shape, read_as.files, quotes_of(read_as.config.data));
  });
  const auto& [directory, config, files, assumes] = read_as;
  require_agreement(job.control(), [&] { return served_facts(config, directory, files); });
  const World world = job.world(config.device, config.threads, config.comm);
  const LoadedModel model = load_model(directory, without_plugins(config), world);
  std::unique_ptr<Explaining> explained;
  if (!arguments.explain.empty())
    together(job.control(), [&] {
      explained = make_explaining({"--explain", arguments.explain, outputs.heat_maps},
                                  task_of_type(config.model.task, model.labels.problem_type), *model.learner,
                                  model.tokenizer.get());
    });
  if (job.control().rank() == 0) say_what_predicts(arguments, read_as, model);

  const Stopwatch watch;
  const Scratch scratch(scratch_name(outputs.rows, job.control()), job.control());
  const auto rows = open_rows(files, config, scratch.path(), model, job.control());
  together(job.control(), [&] {
    rows->require(model.learner->model().needs(), {job.control().rank(), job.control().size()});
  });
  const Task& task = model.learner->task();
  const std::string plain = shape.is_plain(outputs.rows) ? outputs.rows : scratch.path() + "/predictions.jsonl";
  RowWriter writer(
      plain, scratch.path() + "/rows", *rows,
      [&](const std::vector<std::string>& samples) { return task.prediction_of_row(samples); }, job.control(),
      real_files());
  Evaluator::Settings settings = evaluator_settings(config, world.device);
  settings.answers.generate = model.generate;
  settings.answers.most_rows = rows->size();
  settings.logits = arguments.logits;
  if (explained)
    settings.also_tell = [&](const Batch& batch, std::vector<std::string>& predictions) {
      explained->explain(batch, predictions);
    };
  settings.may_leave = [] {
    failpoint("predict.batch");
    leave_if_asked();
  };
  Evaluator(*model.learner, *rows, job.control(), settings).predict([&](int64_t sample, const std::string& json) {
    writer.add(sample, json);
  });
  writer.publish();
  together(job.control(), [&] {
    if (job.control().rank() != 0) return;
    for (const auto& [form, path] : outputs.others) form.write(plain, path, real_files());
    if (plain != outputs.rows)
      write_shaped(plain, outputs.rows, scratch.path() + "/shaped", files, quotes_of(config.data), shape, real_files());
  });
  if (job.control().rank() == 0)
    log::info(concat(human_count(static_cast<double>(rows->info().num_rows)), " rows in ",
                     human_seconds(watch.seconds()), is_standard(arguments.output) ? "" : ": " + arguments.output));
  return ExitCode::done;
}

}  // namespace sft
