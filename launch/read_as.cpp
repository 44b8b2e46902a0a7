#include "launch/read_as.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "data/prepare/input.h"
#include "data/readers/reader.h"
#include "launch/run_directory.h"
#include "trainer/assembly/prepared_files.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

bool is_run(const std::string& target) { return fs::is_regular_file(fs::path(target) / "config.toml"); }

std::string model_directory(const std::string& target) {
  if (const std::string model = exported_by(target); !model.empty()) return model;
  if (!is_run(target)) return target;
  RunConfig config = kept_config(target);
  config.output_dir = target;
  return checkpoint_directory(config, "best");
}

// As the run has read its rows, on whatever this job computes with. Rows without label, weight or group are what is
// predicted, and each gets its line.
RunConfig settings_of_run(const std::string& run) {
  RunConfig config = kept_config(run);
  const RunConfig usual;
  config.device = usual.device;
  config.threads = usual.threads;
  config.comm = usual.comm;
  config.deterministic = usual.deterministic;
  config.data.weight_column = config.data.group_column = "";
  config.data.on_bad_row = usual.data.on_bad_row;
  return config;
}

// And not from sources, which are read from their beginning.
bool goes_on_from_prompts(const TaskKind& task) {
  return task.stop_tokens != nullptr && std::ranges::find(task.truncations, "left") != task.truncations.end();
}

// Words may come in the column that they were trained from, as texts, or in the task's own column.
void find_words(const StringList& files, const TaskKind& task, DataConfig& data) {
  if (is_hdf5(files.front())) return;
  const std::vector<std::string> there = columns_of(files.front(), quotes_of(data));
  for (const std::string& name : {data.text_column.front(), std::string("text"), std::string(task.text_column)})
    if (std::ranges::find(there, name) != there.end()) {
      data.text_column = {name};
      return;
    }
}

// What transformers' processor does to the size of pictures, in its own words; "" where it leaves them as they are.
std::string sizes_in(const nlohmann::json& processor) {
  if (!processor.is_object()) return "";
  const auto is = [&](const char* key, bool value) { return processor.value(key, nlohmann::json()) == value; };
  StringList told;
  for (const char* key : {"size", "crop_pct"})
    if (processor.contains(key) && !is("do_resize", false)) told.push_back(concat(key, " ", processor[key].dump()));
  if (processor.contains("crop_size") && is("do_center_crop", true))
    told.push_back(concat("crop_size ", processor["crop_size"].dump()));
  return join(told, ", ");
}

// What the options say goes before what the run, or the model, does.
void take_options(const Arguments& arguments, RunConfig& config) {
  config.eval.per_device_eval_batch_size = arguments.batch_size;
  if (!arguments.text_columns.empty()) config.data.text_column = arguments.text_columns;
  if (!arguments.text_pair_column.empty()) config.data.text_pair_column = arguments.text_pair_column;
  if (!arguments.image_column.empty()) config.data.image_column = arguments.image_column;
}

// Prompts that are cut keep their end, which is answered, and an eighth of the model's positions stays for answers.
void leave_room_for_answers(ReadAs& settled) {
  constexpr int64_t kMostRoom = 256;
  DataConfig& data = settled.config.data;
  data.truncation = "left";
  const nlohmann::json model = ModelDirectory(settled.model).config();
  if (model.value("is_encoder_decoder", false)) return;  // answers have positions of their own
  for (const char* key : {"max_position_embeddings", "n_positions"})
    if (const int64_t positions = model.value(key, int64_t{0}); positions > 0)
      data.max_length = std::min(data.max_length, positions - std::min(positions / 8, kMostRoom));
}

}  // namespace

RunConfig settings_of_model(const ModelDirectory& model) {
  RunConfig config;
  const Takes takes = takes_of(model.config());
  const std::optional<std::string> adapts = model.peft_task_type();
  config.model.task = (adapts ? task_of_adapter(*adapts, takes) : task_of_class(model.architecture(), takes)).name;
  model.read_image_settings(config.data);
  const TaskKind& task = task_named(config.model.task);
  config.data.truncation = model.truncation_side();
  if (task.max_length > 0) config.data.max_length = task.max_length;
  if (model.model_max_length() > 0) config.data.max_length = model.model_max_length();
  return config;
}

void take_own_template(const std::string& model, DataConfig& data) {
  if (fs::exists(fs::path(model) / "chat_template.jinja")) data.chat.chat_template = "";
}

ReadAs settle_reading(const Arguments& arguments) {
  ReadAs settled;
  settled.model = model_directory(arguments.target);
  settled.assumes = !is_run(arguments.target);
  settled.config =
      settled.assumes ? settings_of_model(ModelDirectory(settled.model)) : settings_of_run(arguments.target);
  take_own_template(settled.model, settled.config.data);
  ModelDirectory(settled.model).settle_image_settings(settled.config.data);
  settled.files = expand_files(arguments.inputs, "--input", {}, accepted_by(settled.config.model.task));
  const TaskKind& task = task_named(settled.config.model.task);
  if (settled.assumes && goes_on_from_prompts(task)) leave_room_for_answers(settled);
  if (DataConfig{}.text_column.front() != task.text_column && task.takes == Takes::texts)
    find_words(settled.files, task, settled.config.data);
  take_options(arguments, settled.config);
  return settled;
}

ModelToTalkTo model_to_talk_to(const std::string& target) {
  const std::string directory = model_directory(target);
  RunConfig config = is_run(target) ? settings_of_run(target) : settings_of_model(ModelDirectory(directory));
  take_own_template(directory, config.data);
  return {directory, config};
}

void say_assumptions(const LoadedModel& model, const RunConfig& config) {
  const DataConfig& data = config.data;
  if (!model.tokenizer) {
    log::info(data.image_size > 0 ? concat("a model directory: images are brought to ", data.image_size,
                                           " pixels (crop ", data.crop, ")")
                                  : "a model directory: images are taken in the size they have");
    const std::string sizes = sizes_in(model.directory->json_of("preprocessor_config.json"));
    if (data.image_size == 0 && !sizes.empty())
      log::warn_once(concat(model.directory->path(), "/preprocessor_config.json says ", sizes,
                            ", which is not done here: bring images to that size and cut before they are given, or ",
                            "predict with a run, which keeps its data.image_size and data.crop"));
    return;
  }
  const int64_t of_model = model.directory->model_max_length(), length = of_model > 0 ? of_model : data.max_length;
  if (goes_on_from_prompts(task_named(config.model.task))) {
    log::info(concat("a model directory: prompts are cut on the ", data.truncation, " to ", data.max_length,
                     " tokens, or to the model's positions; a run's directory in its place says how it was trained"));
    return;
  }
  log::info(concat("a model directory: the text is read from ", join(data.text_column, " + "),
                   data.text_pair_column.empty() ? "" : " and " + data.text_pair_column, " and cut on the ",
                   data.truncation, " to ", length, " tokens; a run's directory in its place says how it was trained"));
}

}  // namespace sft
