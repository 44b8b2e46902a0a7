// Raw rows in, one JSON object a row out, in input order.
#include <cstring>
#include <filesystem>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "comm/agree.h"
#include "data/readers/reader.h"
#include "launch/commands/commands.h"
#include "launch/loaded_model.h"
#include "launch/read_as.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/loop/evaluator.h"
#include "trainer/loop/row_writer.h"
#include "trainer/tasks/question_answering/squad_file.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// The user's word for what a message calls by its key.
[[noreturn]] void rethrow_by_option(const Error& error) {
  std::string message = error.what();
  for (const auto& [key, option] :
       {std::pair{"data.text_column", "--text-column"}, {"data.text_pair_column", "--text-pair-column"}})
    if (const size_t at = message.find(key); at != std::string::npos) message.replace(at, std::strlen(key), option);
  throw Error(error.code(), message, error.reach());
}

// Shards of the input while it is being predicted; gone afterwards.
class Scratch {
 public:
  Scratch(std::string path, Communicator& control) : path_(std::move(path)), control_(control) {}
  ~Scratch() {
    std::error_code ignored;
    if (control_.rank() == 0) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Communicator& control_;
};

std::unique_ptr<Dataset> open_rows(const StringList& files, const RunConfig& config, const std::string& scratch,
                                   const LoadedModel& model, Communicator& control) {
  try {
    return open_split("input", files, config.data, scratch, task_named(config.model.task), model.tokenizer.get(),
                      model.labels, false, control);
  } catch (const Error& error) {
    rethrow_by_option(error);
  }
}

void require_questions(const Arguments& arguments, const RunConfig& config) {
  if (arguments.squad.empty() || task_named(config.model.task).target == TargetForm::span) return;
  throw Error(ExitCode::usage,
              concat("--squad writes the answers of questions, and the model's task is ", config.model.task),
              Reach::everywhere);
}

}  // namespace

ExitCode predict(const Arguments& arguments, Job& job) {
  ReadAs read_as;
  together(job.control(), [&] { read_as = settle_reading(arguments); });
  const auto& [directory, config, files, assumes] = read_as;
  require_questions(arguments, config);
  const World world = job.world(config.device, config.threads, config.comm);
  const LoadedModel model = load_model(directory, config, world);
  if (job.control().rank() == 0 && assumes) say_assumptions(model, config);

  const Stopwatch watch;
  const Scratch scratch(arguments.output + ".prepared", job.control());
  const auto rows = open_rows(files, config, scratch.path(), model, job.control());
  together(job.control(), [&] {
    rows->require(model.learner->model().needs(), {job.control().rank(), job.control().size()});
  });
  const Task& task = model.learner->task();
  RowWriter writer(
      arguments.output, *rows, [&](const std::vector<std::string>& samples) { return task.prediction_of_row(samples); },
      job.control(), real_files());
  Evaluator::Settings settings = evaluator_settings(config, world.device);
  settings.answers.generate = model.generate;
  settings.answers.most_rows = rows->size();
  Evaluator(*model.learner, *rows, job.control(), settings).predict([&](int64_t sample, const std::string& json) {
    writer.add(sample, json);
  });
  writer.publish();
  together(job.control(), [&] {
    if (job.control().rank() == 0 && !arguments.squad.empty())
      write_squad(arguments.output, arguments.squad, real_files());
  });
  if (job.control().rank() == 0)
    log::info(concat(human_count(static_cast<double>(rows->info().num_rows)), " rows in ",
                     human_seconds(watch.seconds()), ": ", arguments.output));
  return ExitCode::done;
}

}  // namespace sft
