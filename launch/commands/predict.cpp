// Raw rows in, one JSON object a row out, in input order.
#include <cstring>

#include "base/failpoint.h"
#include "base/file_ops.h"
#include "base/log.h"
#include "base/output_file.h"
#include "base/stop_request.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "comm/agree.h"
#include "data/prepare/prepare_images.h"
#include "launch/commands/commands.h"
#include "launch/loaded_model.h"
#include "launch/read_as.h"
#include "launch/scratch.h"
#include "trainer/assembly/entity_rows.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/loop/evaluator.h"
#include "trainer/loop/row_writer.h"

namespace sft {
namespace {

// Of images, which one the row is of: they have no lines to count.
std::string named(const std::string& json, const std::vector<std::string>& places, int64_t row) {
  if (places.empty()) return json;
  nlohmann::ordered_json out = {{"image", places[static_cast<size_t>(row)]}};
  out.update(nlohmann::ordered_json::parse(json));
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

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
  files.push_back(read_as.model);
  files.push_back(arguments.target + "/config.toml");
  return files;
}

std::unique_ptr<Dataset> open_rows(const StringList& files, const DataConfig& config, const std::string& scratch,
                                   const LoadedModel& model, Communicator& control) {
  try {
    return open_split("input", files, config, scratch, model.tokenizer.get(), model.labels, false, control);
  } catch (const Error& error) {
    rethrow_by_option(error);
  }
}

}  // namespace

ExitCode predict(const Arguments& arguments, Job& job) {
  ReadAs read_as;
  std::string output;
  together(job.control(), [&] {
    read_as = settle_reading(arguments);
    output = output_file("--output", arguments.output, what_is_read(arguments, read_as));
  });
  const auto& [directory, config, files, assumes] = read_as;
  const World world = job.world(config.device, config.threads, config.comm);
  const LoadedModel model = load_model(directory, config, world);
  if (job.control().rank() == 0 && assumes) say_assumptions(model, config);

  const Stopwatch watch;
  const Scratch scratch(output, job.control());
  const auto rows = open_rows(files, config.data, scratch.path(), model, job.control());
  together(job.control(), [&] {
    rows->require(model.learner->model().needs(), {job.control().rank(), job.control().size()});
  });
  const std::vector<std::string> places =
      model.tokenizer ? StringList{} : image_places(files, image_columns(config.data));
  PrepareRequest raw;
  raw.files = files;
  raw.labels_required = false;
  RowWriter writer(output, scratch.path() + "/rows", rows->size(), job.control(), real_files(),
                   entities_of_rows(config.model.task, raw, config.data, model.tokenizer.get()));
  Evaluator::Settings settings = evaluator_settings(config, world.device);
  settings.before_batch = [] {
    failpoint("predict.batch");
    leave_if_asked();
  };
  Evaluator(*model.learner, *rows, job.control(), settings).predict([&](int64_t row, const std::string& json) {
    writer.add(row, named(json, places, row));
  });
  writer.publish();
  if (job.control().rank() == 0)
    log::info(concat(human_count(static_cast<double>(rows->size())), " rows in ", human_seconds(watch.seconds()), ": ",
                     arguments.output));
  return ExitCode::done;
}

}  // namespace sft
