#include "trainer/assembly/datasets.h"

#include <algorithm>
#include <filesystem>
#include <span>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "data/hdf5/guard.h"
#include "data/samples/shard_form.h"
#include "trainer/assembly/problem_type.h"
#include "trainer/tasks/recipes/target_column.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

bool is_hdf5(const std::string& path) { return path.ends_with(".h5") || path.ends_with(".hdf5"); }

bool holds_hdf5(const std::string& path) {
  if (!fs::is_directory(path)) return false;
  return std::any_of(fs::directory_iterator(path), fs::directory_iterator(),
                     [](const auto& entry) { return is_hdf5(entry.path().string()); });
}

// Of images only our own shards are ready; of texts any HDF5 is read as it is.
bool is_prepared(const std::string& path, Takes takes) {
  if (holds_hdf5(path)) return true;
  return is_hdf5(path) && (takes == Takes::texts || is_shard(*open_guarded(path)));
}

// Whether the files are shards already. A list of both kinds has no order that a user could mean.
bool are_prepared(const StringList& files, const std::string& split, Takes takes) {
  const auto prepared =
      std::count_if(files.begin(), files.end(), [&](const std::string& path) { return is_prepared(path, takes); });
  if (prepared != 0 && static_cast<size_t>(prepared) != files.size())
    throw ConfigError(concat("data.", split, "_file mixes HDF5 and raw files: ", join(files, ", ")));
  return prepared != 0;
}

PrepareReport prepare_split(PrepareRequest request, const DataConfig& config, const Tokenizer* tokenizer,
                            Communicator& control) {
  std::unique_ptr<Recipe> recipe;
  together(control, [&] { recipe = task_named(request.task).recipe(request, config, tokenizer); });
  const PrepareReport report = prepare_shards(request, config, *recipe, peers_of(control));
  if (control.rank() == 0) {
    log::info(describe(report, request.split));
    for (const std::string& warning : report.warnings) log::warn(warning);
  }
  return report;
}

std::vector<std::string> numbered_labels(int64_t count) {
  std::vector<std::string> names;
  for (int64_t id = 0; id < count; ++id) names.push_back(concat("LABEL_", id));
  return names;
}

// Each rank counts its share; the sum is the same on all.
std::vector<int64_t> count_labels(const Dataset& dataset, size_t num_labels, Communicator& control) {
  std::vector<int64_t> counts(num_labels);
  together(control, [&] {
    const size_t place = dataset.schema().place("labels");
    if (place == SIZE_MAX) return;
    const Number number = dataset.schema().columns[place].number;
    const auto count = [&](const auto& labels) {
      for (const int64_t label : labels)
        if (label >= 0) ++counts.at(static_cast<size_t>(label));
    };
    Packed cell(number);
    const auto [first, end] = range_of(dataset.size(), {control.rank(), control.size()});
    for (int64_t i = first; i < end; ++i) {
      cell.clear();
      dataset.append(i, place, cell);
      if (number == Number::int64) count(cell.as<int64_t>());
      if (number == Number::int32) count(cell.as<int32_t>());
      if (number != Number::float32) continue;
      const std::span<const float> flags = std::as_const(cell).as<float>();
      for (size_t k = 0; k < flags.size(); ++k) counts.at(k) += flags[k] != 0.0f;
    }
  });
  control.all_reduce(Buffer::of(std::span<int64_t>(counts)));
  return counts;
}

// Shards say which tokenizer made them; another one's ids would mean other words.
void check_tokenizer(const Dataset& dataset, const TaskKind& task, const Tokenizer* tokenizer,
                     const std::string& split) {
  const bool images = dataset.schema().find("tokens") == nullptr;
  if (images != (task.takes == Takes::pictures))
    throw ConfigError(concat("data.", split, "_file holds ", images ? "images" : "texts", ", and the task takes ",
                             images ? "texts" : "images"));
  if (images) return;
  const std::string& made_by = dataset.info().tokenizer_sha256;
  if (!made_by.empty() && made_by != tokenizer->sha256())
    throw DataError(concat("data.", split, "_file was prepared with another tokenizer than the model's (sha256 ",
                           made_by.substr(0, 12), "… against ", tokenizer->sha256().substr(0, 12),
                           "…); prepare it again from the raw file"));
}

void check_width(const Schema& schema, const std::string& file, const Labels& labels) {
  const int64_t found = target_count(schema);
  const auto known = static_cast<int64_t>(labels.names.size());
  const bool has_width = labels.target == TargetForm::label_set || labels.target == TargetForm::values;
  if (has_width && found != known)
    throw DataError(concat(file, " has ", found, " targets a row, and training has ", known));
  if (found > known)
    throw DataError(concat(file, " holds label ", found - 1, ", and training knows only ", known, " labels"));
}

void check_num_labels(const LoadedConfig& loaded, const Labels& labels) {
  const int64_t wanted = loaded.config.model.num_labels;
  const auto found = static_cast<int64_t>(labels.names.size());
  if (wanted != 0 && wanted != found)
    throw ConfigError(concat(place_of(loaded.origins, "model.num_labels"), "model.num_labels is ", wanted,
                             ", and the training data has ", found, " labels; 0 takes them from the data"));
}

// Where the config leaves it to the data, it is said how the data was understood.
void announce(const RunConfig& config, TargetForm target) {
  if (!config.model.problem_type.empty() || problem_type_of(target).empty()) return;
  const char* meant = target == TargetForm::label_set ? "any number of labels a row"
                      : target == TargetForm::values  ? "real numbers"
                                                      : "one label a row";
  log::info(concat("targets: ", meant, ", so model.problem_type is ", problem_type_of(target)));
}

// The samples of the first rows that have some.
std::unique_ptr<Dataset> limited(std::unique_ptr<Dataset> dataset, int64_t most) {
  if (most == 0) return dataset;
  int64_t rows = 0, end = 0;
  for (; end < dataset->size(); ++end)
    if ((end == 0 || dataset->row(end) != dataset->row(end - 1)) && ++rows > most) break;
  return head_of(std::move(dataset), end);
}

// What the config says of the targets; nothing where it is left to the data.
std::optional<TargetForm> wanted_target(const ModelConfig& model) {
  const TaskKind& task = task_named(model.task);
  return *task.problem_type == '\0' ? task.target : target_of(model.problem_type);
}

Needs needs_of(std::optional<TargetForm> target) {
  return target ? Needs{{.column = target_column(*target, 0)}} : Needs{};
}

// A file that one rank alone cannot read stops all of them here.
std::unique_ptr<Dataset> open_together(const std::vector<std::string>& paths, std::optional<TargetForm> target,
                                       Communicator& control) {
  std::unique_ptr<Dataset> dataset;
  together(control, [&] { dataset = open_dataset(paths, needs_of(target)); });
  return dataset;
}

// Rows whose labels training has settled.
PrepareRequest request_of(const std::string& split, const StringList& files, const std::string& directory,
                          const TaskKind& task, const Labels& labels) {
  PrepareRequest request;
  request.files = files;
  request.split = split;
  request.output_directory = directory;
  request.task = task.name;
  request.problem_type = problem_type_of(labels.target);
  if (labels.target == TargetForm::values) request.num_targets = static_cast<int64_t>(labels.names.size());
  if (labels.target != TargetForm::values) request.label_names = labels.names;
  request.labels_must_be_known = true;
  request.keep_notes = split == "test" || split == "input";
  return request;
}

// The training split decides what the labels are.
std::unique_ptr<Dataset> open_train(const LoadedConfig& loaded, const ModelDirectory& model, Datasets& data,
                                    Communicator& control) {
  const DataConfig& config = loaded.config.data;
  const StringList files =
      expand_files(config.train_file, "data.train_file", loaded.origins, accepted_by(loaded.config.model.task));
  if (are_prepared(files, "train", task_named(loaded.config.model.task).takes)) {
    auto train = open_together(files, wanted_target(loaded.config.model), control);
    const auto& known = train->info().label_names;
    data.labels.names = known.empty()
                            ? numbered_labels(std::max(target_count(train->schema()), loaded.config.model.num_labels))
                            : known;
    return train;
  }
  PrepareRequest request;
  request.files = files;
  request.output_directory = prepared_directory(loaded.config);
  request.task = loaded.config.model.task;
  request.problem_type = loaded.config.model.problem_type;
  request.label_names = model.label_names();
  request.side = config.validation_split > 0 ? PrepareRequest::Side::train : PrepareRequest::Side::all;
  request.split_seed = static_cast<uint64_t>(loaded.config.seed);
  const PrepareReport report = prepare_split(std::move(request), config, data.tokenizer.get(), control);
  data.labels.names = report.num_targets > 0 ? numbered_labels(report.num_targets) : report.label_names;
  data.labels.counts = report.label_counts;
  return open_together(report.shards, {}, control);
}

std::unique_ptr<Dataset> open_held_out(const LoadedConfig& loaded, const Datasets& data, Communicator& control) {
  const StringList files = expand_files(loaded.config.data.train_file, "data.train_file", loaded.origins,
                                        accepted_by(loaded.config.model.task));
  PrepareRequest request = request_of("validation", files, prepared_directory(loaded.config),
                                      task_named(loaded.config.model.task), data.labels);
  request.side = PrepareRequest::Side::validation;
  request.split_seed = static_cast<uint64_t>(loaded.config.seed);
  const PrepareReport report = prepare_split(std::move(request), loaded.config.data, data.tokenizer.get(), control);
  return open_together(report.shards, {}, control);
}

}  // namespace

Peers peers_of(Communicator& control) {
  return {{control.rank(), control.size()},
          [&control](const std::string& mine) { return gather_all(control, mine); },
          [&control](const std::function<void()>& body) { together(control, body); }};
}

bool is_prepared(const std::string& path) { return is_hdf5(path); }

std::string prepared_directory(const RunConfig& config) {
  if (!config.data.prepared_dir.empty()) return config.data.prepared_dir;
  const fs::path parent = fs::path(config.output_dir).lexically_normal().parent_path();
  return (parent / ".prepared").string();
}

std::unique_ptr<Dataset> open_split(const std::string& split, const StringList& files, const DataConfig& config,
                                    const std::string& directory, const TaskKind& task, const Tokenizer* tokenizer,
                                    const Labels& labels, bool labels_required, Communicator& control) {
  if (are_prepared(files, split, task.takes)) {
    std::unique_ptr<Dataset> dataset;
    together(control, [&] {
      dataset = open_dataset(files, needs_of(labels.target));
      check_tokenizer(*dataset, task, tokenizer, split);
      check_width(dataset->schema(), files.front(), labels);
    });
    return dataset;
  }
  PrepareRequest request = request_of(split, files, directory, task, labels);
  request.labels_required = labels_required;
  return open_together(prepare_split(std::move(request), config, tokenizer, control).shards, {}, control);
}

Datasets open_datasets(const LoadedConfig& loaded, const ModelDirectory& model, Communicator& control) {
  const RunConfig& config = loaded.config;
  Datasets data;
  const TaskKind& task = task_named(config.model.task);
  const Accepts accepts = accepted_by(config.model.task);
  together(control, [&] {
    if (task.takes == Takes::pictures) return;
    data.tokenizer = Tokenizer::from_directory(model.texts_path(), model.path());
    data.tokenizer->set_truncation(config.data.max_length, config.data.truncation);
  });
  data.train = limited(open_train(loaded, model, data, control), config.data.max_train_samples);
  data.labels.target = target_form_of(data.train->schema());
  data.labels.num_rows = data.train->size();
  data.labels.samples = data.train->schema();
  if (control.rank() == 0) announce(config, data.labels.target);
  together(control, [&] {
    check_tokenizer(*data.train, task, data.tokenizer.get(), "train");
    check_num_labels(loaded, data.labels);
  });

  const auto open = [&](const char* split, const StringList& patterns) -> std::unique_ptr<Dataset> {
    if (patterns.empty()) return nullptr;
    const StringList files = expand_files(patterns, concat("data.", split, "_file"), loaded.origins, accepts);
    return limited(open_split(split, files, config.data, prepared_directory(config), task, data.tokenizer.get(),
                              data.labels, true, control),
                   config.data.max_eval_samples);
  };
  data.validation = open("validation", config.data.validation_file);
  data.test = open("test", config.data.test_file);
  if (!data.validation && config.data.validation_split > 0)
    data.validation = limited(open_held_out(loaded, data, control), config.data.max_eval_samples);

  const bool needs_counts =
      config.train.loss.class_weights.word == "balanced" || config.train.loss.pos_weight.word == "balanced";
  if (needs_counts && (data.labels.counts.empty() || config.data.max_train_samples > 0))
    data.labels.counts = count_labels(*data.train, data.labels.names.size(), control);
  return data;
}

}  // namespace sft
