// Raw rows in, one JSON object a row out, in input order.
#include <algorithm>
#include <filesystem>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "comm/agree.h"
#include "data/prepare/prepare_images.h"
#include "data/readers/reader.h"
#include "launch/commands/commands.h"
#include "launch/loaded_model.h"
#include "trainer/assembly/entity_rows.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/loop/evaluator.h"
#include "trainer/loop/row_writer.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

std::string model_directory(const std::string& target) {
  if (fs::is_directory(fs::path(target) / "model")) return (fs::path(target) / "model").string();
  return target;
}

// Of images, which one the row is of: they have no lines to count.
std::string named(const std::string& json, const std::vector<std::string>& places, int64_t row) {
  if (places.empty()) return json;
  nlohmann::ordered_json out = {{"image", places[static_cast<size_t>(row)]}};
  out.update(nlohmann::ordered_json::parse(json));
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// The column that was asked for, or the one that training files have under the task's own name.
std::string text_column(const Arguments& arguments, const TaskKind& task, const StringList& files) {
  if (task.takes == Takes::pictures || is_prepared(files.front())) return arguments.text_column;
  const std::vector<std::string> columns = columns_of(files.front());
  const auto has = [&](const std::string& name) { return std::ranges::find(columns, name) != columns.end(); };
  return !has(arguments.text_column) && has(task.text_column) ? task.text_column : arguments.text_column;
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

}  // namespace

ExitCode predict(const Arguments& arguments, Job& job) {
  RunConfig config;
  config.data.text_pair_column = arguments.text_pair_column;
  config.data.image_column = arguments.image_column;
  const std::string directory = model_directory(arguments.target);
  config.eval.per_device_eval_batch_size = arguments.batch_size;
  StringList files;
  together(job.control(), [&] {
    const ModelDirectory model(directory);
    const TaskKind& task = task_of_class(model.architecture(), takes_of(model.config()));
    config.model.task = task.name;
    model.read_image_settings(config.data);
    files = expand_files(arguments.inputs, "--input", {}, accepted_by(config.model.task));
    config.data.text_column = {text_column(arguments, task, files)};
  });
  const World world = job.world(config.device, config.threads, config.comm);
  const LoadedModel model = load_model(directory, config, world);

  const Stopwatch watch;
  const Scratch scratch(arguments.output + ".prepared", job.control());
  const auto rows = open_split("input", files, config.data, scratch.path(), model.tokenizer.get(), model.labels, false,
                               job.control());
  together(job.control(), [&] {
    rows->require(model.learner->model().needs(), {job.control().rank(), job.control().size()});
  });
  const std::vector<std::string> places =
      model.tokenizer ? StringList{} : image_places(files, image_columns(config.data));
  PrepareRequest raw;
  raw.files = files;
  raw.labels_required = false;
  RowWriter writer(arguments.output, rows->size(), job.control(), real_files(),
                   entities_of_rows(config.model.task, raw, config.data, model.tokenizer.get()));
  Evaluator(*model.learner, *rows, job.control(), evaluator_settings(config, world.device))
      .predict([&](int64_t row, const std::string& json) { writer.add(row, named(json, places, row)); });
  writer.publish();
  if (job.control().rank() == 0)
    log::info(concat(human_count(static_cast<double>(rows->size())), " rows in ", human_seconds(watch.seconds()), ": ",
                     arguments.output));
  return ExitCode::done;
}

}  // namespace sft
