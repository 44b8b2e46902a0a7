#include "trainer/assembly/build_model.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <optional>

#include "base/errors.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/adapters/freeze.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/learner/learner.h"
#include "trainer/model_files/pretrained.h"
#include "trainer/models/blocks/matrix_product.h"

namespace sft {

namespace {

void compute_narrow(Model& model, const at::Device& device, const Communicator& control) {
  if (control.rank() == 0 && device.is_cpu() && !cpu_multiplies_bfloat16())
    log::warn("model.dtype = \"bfloat16\": this CPU has no arithmetic for it, float32 is faster here");
  model.set_compute_type(at::kBFloat16);
}

// What the files lacked of the backbone starts as a model without files does.
void take_values(const Parameters& untouched, const Parameters& from) {
  const at::NoGradGuard no_graph;
  for (const Parameter& parameter : untouched)
    for (const Parameter& source : from)
      if (source.name == parameter.name) at::Tensor(parameter.value).copy_(source.value);
}

// A head that was trained for labels of other names, or in another order, would be taken for theirs row by row.
void warn_of_other_labels(const LoadReport& report, const Built& built, const ModelDirectory& directory,
                          const Labels& labels) {
  const std::vector<std::string> trained = directory.label_names();
  const bool head_was_loaded = std::ranges::none_of(
      report.untouched, [&](const Parameter& one) { return one.stage > built.model->num_blocks() + 1; });
  if (!head_was_loaded || trained.size() != labels.names.size() || trained == labels.names) return;
  const auto differ = std::ranges::mismatch(trained, labels.names);
  log::warn(concat("the head of ", directory.path(), " was trained for other labels: what it knows of ",
                   in_quotes(*differ.in1), " is taken for ", in_quotes(*differ.in2),
                   ", and so on in the order of ids. Labels that are spelled as in its config.json keep their place"));
}

}  // namespace

Built build_model(const RunConfig& config, const ModelDirectory& directory, const Labels& labels,
                  const at::Device& device, Communicator& control) {
  Built built;
  LoadReport report;
  together(control, [&] {
    nlohmann::json model_config = directory.config();
    for (const auto& [key, value] : config.model.config.items()) model_config[key] = value;
    if (!config.data.mean.empty()) model_config["image_mean"] = config.data.mean;
    if (!config.data.std.empty()) model_config["image_std"] = config.data.std;
    const auto dtype = config.model.dtype == "float64" ? at::kDouble : at::kFloat;
    const auto seed = static_cast<uint64_t>(config.seed);
    std::optional<WeightFiles> files;
    if (config.model.init == "pretrained") files.emplace(directory.path());
    const auto make = [&](InitialSeed initial) {
      auto model = make_model(model_config, device, dtype, initial);
      if (files) model->adopt_names(files->names());
      return model;
    };
    const uint64_t initial = derive_key(seed, "model");
    built.model = make(files ? std::nullopt : InitialSeed(initial));
    if (config.model.dtype == "bfloat16") compute_narrow(*built.model, device, control);
    if (config.train.gradient_checkpointing) built.model->set_gradient_checkpointing();
    built.task = make_task(config.model.task,
                           {.pooling = config.model.pooling,
                            .label_names = labels.names,
                            .label_counts = labels.counts,
                            .num_rows = labels.num_rows,
                            .target = labels.target,
                            .loss = config.train.loss,
                            .focal_gamma = config.train.focal_gamma,
                            .huber_delta = config.train.huber_delta,
                            .class_weights = config.train.class_weights,
                            .pos_weight = config.train.pos_weight,
                            .threshold = config.eval.threshold,
                            .metrics = config.eval.metrics,
                            .label_smoothing_factor = config.train.label_smoothing_factor,
                            .device = device,
                            .dtype = dtype,
                            .seed = derive_key(seed, "head")},
                           *built.model);
    built.model->set_dropout_seed(derive_key(seed, "dropout"));
    built.task->set_dropout_seed(derive_key(seed, "head dropout"));
    if (!files) return;
    report = load_pretrained(*files, *built.model, all_saved(*built.model, *built.task),
                             config.model.ignore_mismatched_sizes);
    const auto of_backbone = [&](const Parameter& one) { return one.stage <= built.model->num_blocks() + 1; };
    if (std::ranges::any_of(report.untouched, of_backbone)) take_values(report.untouched, make(initial)->parameters());
  });
  if (control.rank() == 0)
    if (const std::string text = describe(report); !text.empty()) log::info(text);
  if (control.rank() == 0 && config.model.init == "pretrained") warn_of_other_labels(report, built, directory, labels);
  return built;
}

BatchNormRule batch_norm_rule(const RunConfig& config, BatchStatistics& over) {
  const std::string& mode = config.train.batch_norm;
  return {.mode = mode == "frozen"  ? BatchNormMode::frozen
                  : mode == "local" ? BatchNormMode::local
                                    : BatchNormMode::synchronized,
          .still_where_frozen = config.freeze.freeze_batch_norm_statistics,
          .over = &over};
}

void check_fit(const RunConfig& config, const Model& model, const Datasets& data, const ModelDirectory& directory) {
  const std::optional<TextLimits> limits = model.text_limits();
  const bool wants_images = config.model.task == "image_classification";
  if (wants_images == limits.has_value())
    throw ConfigError(concat(directory.path(), ": this model takes ", limits ? "texts" : "images",
                             ", and model.task is ", in_quotes(config.model.task)));
  if (data.train->size() == 0) throw DataError("the training data has no rows");
  if (wants_images) return;
  if (data.tokenizer->vocab_size() > limits->vocab_size)
    throw DataError(concat(directory.path(), ": the tokenizer has ", data.tokenizer->vocab_size(),
                           " entries and the model only ", limits->vocab_size,
                           " embeddings; they are not of one model"));
  const int64_t longest = std::max(config.data.max_length, data.train->info().max_length);
  if (longest > limits->max_positions)
    throw ConfigError(
        concat("data.max_length is ", longest, ", and the model has positions for ", limits->max_positions, " tokens"));
}

// The pooler stays still where the head does not read it.
std::vector<bool> trained_parameters(const RunConfig& config, const Built& built) {
  const Parameters all = all_parameters(*built.model, *built.task);
  std::vector<bool> trained = choose_trained(config.freeze, all, built.model->num_blocks());
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].stage == built.model->num_blocks() + 1 && !built.task->reads_pooler()) trained[i] = false;
  return trained;
}

}  // namespace sft
