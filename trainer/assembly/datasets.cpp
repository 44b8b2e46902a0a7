#include "trainer/assembly/datasets.h"

#include <algorithm>
#include <filesystem>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "comm/agreement.h"
#include "trainer/assembly/check_samples.h"
#include "trainer/assembly/count_labels.h"
#include "trainer/assembly/prepared_files.h"
#include "trainer/tasks/recipes/target.h"
#include "trainer/tasks/recipes/target_column.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

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

// Where the config leaves it to the data, it is said how the data was understood.
void announce(const ModelConfig& model, const std::string& problem_type) {
  if (!model.problem_type.empty() || problem_type.empty()) return;
  const char* meant = problem_type == kLabelSet      ? "any number of labels a row"
                      : problem_type == kRealNumbers ? "real numbers"
                                                     : "one label a row";
  log::info(concat("targets: ", meant, ", so model.problem_type is ", problem_type));
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
Needs wanted_targets(const ModelConfig& model) {
  const TaskKind& task = task_of_type(model.task, model.problem_type);
  const bool is_left_to_data = model.problem_type.empty() && *task.problem_type != '\0';
  return is_left_to_data ? Needs{} : Needs{{.column = task.target}};
}

// Each rank has opened the samples by itself.
void require_same_samples(const Dataset& dataset, const std::vector<std::string>& paths, Communicator& control) {
  require_agreement(control, [&] {
    const std::string what = "samples of " + paths.front();
    return Facts{{what, concat(dataset.size(), ", with fingerprint ", dataset.info().fingerprint)},
                 {"labels of the " + what, join(dataset.info().label_names, ", ")}};
  });
}

// A file that one rank alone cannot read stops all of them here.
std::unique_ptr<Dataset> open_together(const std::vector<std::string>& paths, const Needs& needs,
                                       Communicator& control) {
  std::unique_ptr<Dataset> dataset;
  together(control, [&] { dataset = open_dataset(paths, needs); });
  require_same_samples(*dataset, paths, control);
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
  request.problem_type = labels.problem_type;
  if (labels.problem_type == kRealNumbers) {
    request.num_targets = std::ssize(labels.names);
  } else {
    request.label_names = labels.names;
  }
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
    auto train = open_together(files, wanted_targets(loaded.config.model), control);
    together(control, [&] { check_row_keys(*train, loaded); });
    if (control.rank() == 0)
      for (const std::string& warning : row_keys_without_effect(loaded)) log::warn(warning);
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
  request.is_drawn_from = true;
  request.side = holds_out(config) ? PrepareRequest::Side::train : PrepareRequest::Side::all;
  request.split_seed = static_cast<uint64_t>(loaded.config.seed);
  const PrepareReport report = prepare_split(std::move(request), config, data.tokenizer.get(), control);
  data.labels.names = report.num_targets > 0 ? numbered_labels(report.num_targets) : report.label_names;
  data.labels.counts = report.label_counts;
  return open_together(report.shards, {}, control);
}

// Damage is told before the first update, and not hours later, when the test split is read.
void check_content(const Datasets& data, Communicator& control) {
  constexpr int64_t kMostBytes = int64_t{256} << 20;  // of a split: a moment's reading
  for (const auto& [split, dataset] :
       {std::pair{"train", data.train.get()}, {"validation", data.validation.get()}, {"test", data.test.get()}}) {
    if (dataset == nullptr) continue;
    if (dataset->checkable_bytes() <= kMostBytes)
      together(control, [&, split_data = dataset] { split_data->check({control.rank(), control.size()}); });
    else if (control.rank() == 0)
      log::info(concat("data.", split, "_file: ", human_bytes(static_cast<double>(dataset->checkable_bytes())),
                       " are compared with their checksums when they are read, not now; sft-dist inspect FILE --verify "
                       "does it before"));
  }
}

}  // namespace

Peers peers_of(Communicator& control) {
  return {{control.rank(), control.size()},
          [&control](const std::string& mine) { return gather_all(control, mine); },
          [&control](const std::function<void()>& body) { together(control, body); }};
}

std::string prepared_directory(const RunConfig& config) {
  if (!config.data.prepared_dir.empty()) return config.data.prepared_dir;
  fs::path run = fs::path(config.output_dir).lexically_normal();
  if (!run.has_filename()) run = run.parent_path();  // "runs/a/"
  if (run == "." || run.filename() == "..") run = fs::absolute(run / "").lexically_normal().parent_path();
  return (run.parent_path() / ".prepared").string();
}

std::unique_ptr<Dataset> open_split(const std::string& split, const StringList& files, const DataConfig& config,
                                    const std::string& directory, const TaskKind& task, const Tokenizer* tokenizer,
                                    const Labels& labels, bool labels_required, Communicator& control) {
  if (are_prepared(files, split, task.takes)) {
    std::unique_ptr<Dataset> dataset;
    together(control, [&] {
      dataset = open_dataset(files, {{.column = task_of_type(task.name, labels.problem_type).target}});
      check_tokenizer(*dataset, task, tokenizer, split);
      check_width(dataset->schema(), files.front(), labels);
    });
    require_same_samples(*dataset, files, control);
    return dataset;
  }
  PrepareRequest request = request_of(split, files, directory, task, labels);
  request.labels_required = labels_required;
  return open_together(prepare_split(std::move(request), config, tokenizer, control).shards, {}, control);
}

std::unique_ptr<Dataset> open_held_out(const StringList& files, const LoadedConfig& loaded, const Tokenizer* tokenizer,
                                       const Labels& labels, Communicator& control) {
  PrepareRequest request =
      request_of("validation", files, prepared_directory(loaded.config), task_named(loaded.config.model.task), labels);
  request.side = PrepareRequest::Side::validation;
  request.split_seed = static_cast<uint64_t>(loaded.config.seed);
  const PrepareReport report = prepare_split(std::move(request), loaded.config.data, tokenizer, control);
  return open_together(report.shards, {}, control);
}

void settle_reading(LoadedConfig& loaded, const ModelDirectory& model) {
  DataConfig& data = loaded.config.data;
  model.settle_image_settings(data);
  const TaskKind& task = task_named(loaded.config.model.task);
  const StringList keys = keys_of(task);
  if (task.takes != Takes::texts || std::ranges::find(keys, "data.truncation") == keys.end() ||
      loaded.origins.contains("data.truncation") || data.truncation != "right" || task.truncations.front() != "right")
    return;
  data.truncation = model.truncation_side();
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
  data.labels.num_rows = data.train->size();
  data.labels.samples = data.train->schema();
  together(control, [&] {
    check_tokenizer(*data.train, task, data.tokenizer.get(), "train");
    data.labels.problem_type = task_of_samples(config.model.task, data.train->schema()).problem_type;
    if (control.rank() == 0) announce(config.model, data.labels.problem_type);
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
  if (!data.validation && holds_out(config.data))
    data.validation =
        limited(open_held_out(expand_files(config.data.train_file, "data.train_file", loaded.origins, accepts), loaded,
                              data.tokenizer.get(), data.labels, control),
                config.data.max_eval_samples);

  check_content(data, control);

  const LossConfig& loss = config.train.loss;
  const bool needs_counts = loss.class_weights.word == "balanced" || loss.pos_weight.word == "balanced" ||
                            (loss.logit_adjustment > 0 && loss.label_priors.word == "counted");
  const bool counts_too_many = !data.labels.counts.empty() && config.data.max_train_samples > 0;
  if (counts_too_many || (needs_counts && data.labels.counts.empty()))
    data.labels.counts = count_labels(*data.train, data.labels.names.size(), control);
  return data;
}

}  // namespace sft
