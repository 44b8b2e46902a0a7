#include "trainer/assembly/build_model.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "base/errors.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/text.h"
#include "comm/agree.h"
#include "comm/agreement.h"
#include "trainer/assembly/build_adapters.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/learner/learner.h"
#include "trainer/model_files/keras_weights.h"
#include "trainer/model_files/pretrained.h"
#include "trainer/model_files/tensor_refs.h"
#include "trainer/model_files/weights_checksum.h"
#include "trainer/models/blocks/matrix_product.h"
#include "trainer/models/image_size.h"
#include "trainer/tasks/tasks.h"

namespace sft {

namespace {

std::optional<at::ScalarType> compute_type(const RunConfig& config, const at::Device& device,
                                           const Communicator& control) {
  if (config.model.dtype != "bfloat16") return {};
  if (control.rank() == 0 && device.is_cpu() && !cpu_multiplies_bfloat16())
    log::warn("model.dtype = \"bfloat16\": this CPU has no arithmetic for it, float32 is faster here");
  return at::kBFloat16;
}

bool has_adapters(const RunConfig& config, const ModelDirectory& directory) {
  return config.lora.is_on() || !directory.adapter().empty();
}

// Of the parameters that weight files fill, the names of those that will not train.
std::set<std::string> frozen_names(const RunConfig& config, Purpose purpose, bool adapted, const Built& built) {
  const Parameters all = all_parameters(*built.model, *built.task);
  std::vector<bool> trained(all.size());
  if (purpose == Purpose::training)
    trained = adapted ? trained_beside_adapters(*built.model, *built.task)
                      : trained_parameters(config.freeze, *built.model, *built.task);
  std::set<std::string> names;
  for (size_t i = 0; i < all.size(); ++i)
    if (!trained[i]) names.insert(all[i].name);
  return names;
}

// Nothing where float32 and wider alone is found.
std::optional<at::ScalarType> narrow_type_in(const WeightFiles& files) {
  for (const std::string& name : files.names())
    for (const at::ScalarType type : {at::kBFloat16, at::kHalf})
      if (files.find(name)->dtype == dtype_name(type)) return type;
  return {};
}

// What the files lacked of the backbone starts as a model without files does.
void take_values(const Parameters& untouched, const Parameters& from) {
  const at::NoGradGuard no_graph;
  for (const Parameter& parameter : untouched)
    for (const Parameter& source : from)
      if (source.name == parameter.name) at::Tensor(parameter.value).copy_(source.value);
}

// "bert" of "models/bert/" and of "org/bert": directories move, and a hub's name becomes one.
std::string name_in_path(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
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

// Each rank has read the weights by itself.
Facts weight_facts(const TensorChecksums& tensors, const std::string& model) {
  Facts facts;
  for (const auto& [name, about] : tensors) facts[concat("tensor ", name, " of ", model)] = about;
  return facts;
}

Facts plugin_facts(const Plugins& plugins) {
  Facts facts;
  for (const auto& [path, digest] : plugins.files()) facts["content of the plugin " + path] = "SHA-256 " + digest;
  return facts;
}

// Equal shapes do not tell one base from another, nor what stood at the path when the adapter was trained.
void warn_of_another_base(const AdapterFiles& adapter, const std::string& weights, const ModelDirectory& directory) {
  const std::string& base = adapter.settings().base;
  const std::string trained = adapter.base_weights();
  if (!trained.empty() && trained != weights)
    log::warn(concat("the adapter in ", adapter.directory(), " was trained on other weights than ", directory.path(),
                     " holds now: what it adds was learned for those"));
  else if (trained.empty() && !base.empty() && name_in_path(base) != name_in_path(directory.name()))
    log::warn(concat("the adapter in ", adapter.directory(), " was trained on ", in_quotes(base, 400),
                     ", and stands on ", in_quotes(directory.name(), 400),
                     " here; whether they are one cannot be seen"));
}

// Positions of patches are of one size.
void require_picture_size(const Needs& needs, const Schema& schema) {
  const Column* const found = schema.find("pixels");
  const std::vector<int64_t>& wanted = needs.front().column.shape;
  if (found == nullptr || wanted[0] == 0 || std::ranges::equal(found->shape, wanted)) return;
  throw ConfigError(concat("the training images are ", found->shape[0], " × ", found->shape[1],
                           ", and the model takes ", wanted[0], " × ", wanted[1], "; set data.image_size = ", wanted[0],
                           " to bring the images to that size, or another size, to which the model's positions are "
                           "then brought"));
}

// A network that sees pixels on another scale than it was trained on learns, and learns less.
void warn_of_unknown_scale(const RunConfig& config, const Model& model, const ModelDirectory& directory) {
  for (const char* key : {"image_mean", "image_std"}) {
    const NumberList& said = key == std::string("image_mean") ? config.data.mean : config.data.std;
    const auto used = model.config().find(key);
    if (used == model.config().end() || !said.empty() || directory.config().contains(key) ||
        config.model.config.contains(key))
      continue;
    log::warn(concat(directory.path(), ": neither preprocessor_config.json nor data.", key + 6, " says the ", key,
                     " of pixels; taken is ", used->dump(), ", the usual one of ",
                     model.config().value("model_type", std::string("this model"))));
  }
}

// A model of grey images has one number of each, every other one three.
void set_pixel_scale(const DataConfig& data, nlohmann::json& model_config) {
  const bool is_grey = model_config.value("num_channels", nlohmann::json()) == 1;
  for (const auto& [name, numbers] : {std::pair{"mean", &data.mean}, {"std", &data.std}}) {
    if (numbers->empty()) continue;
    if (numbers->size() != (is_grey ? 1 : 3))
      throw ConfigError(concat("data.", name, ": this model wants ",
                               is_grey ? "one number, of grey" : "three numbers, of red, green and blue", ", found ",
                               numbers->size()));
    model_config[concat("image_", name)] = *numbers;
  }
}

void require_same_kind(const RunConfig& config, const Model& model, const ModelDirectory& directory) {
  const bool takes_texts = model.text_limits().has_value();
  if (takes_texts == (task_named(config.model.task).takes == Takes::pictures))
    throw ConfigError(concat(directory.path(), ": this model takes ", takes_texts ? "texts" : "images",
                             ", and model.task is ", in_quotes(config.model.task)));
}

}  // namespace

Built build_model(const RunConfig& config, Purpose purpose, const ModelDirectory& directory, const Labels& labels,
                  const Tokenizer* tokenizer, const at::Device& device, const BatchNormRule& batch_norm,
                  Communicator& control) {
  const TimedPhase phase("load");
  Built built;
  LoadReport& report = built.report;
  std::shared_ptr<const WeightFiles> files;
  together(control, [&] {
    failpoint("model.load");
    nlohmann::json model_config = directory.config();
    for (const auto& [key, value] : config.model.config.items()) model_config[key] = value;
    if (config.data.image_size > 0 && !keeps_image_size(model_config)) model_config["image_size"] = config.data.image_size;
    set_pixel_scale(config.data, model_config);
    const at::ScalarType dtype = parameter_type(config);
    const auto seed = static_cast<uint64_t>(config.seed);
    std::optional<AdapterFiles> adapter;
    if (!directory.adapter().empty()) adapter.emplace(directory.adapter());
    if (config.model.init == "pretrained") files = open_weights(directory.path(), model_config);
    const bool adapted = has_adapters(config, directory);
    ModelSettings settings{.device = device,
                           .dtype = dtype,
                           .compute_type = compute_type(config, device, control),
                           .dropout_seed = derive_key(seed, "dropout"),
                           .batch_norm = batch_norm,
                           .file_names = files ? names_without_copies(*files) : std::vector<std::string>{}};
    if (files && (adapted || purpose == Purpose::prediction)) settings.held_type = narrow_type_in(*files);
    const uint64_t initial = derive_key(seed, "model");
    if (!files) settings.seed = initial;
    built.model = make_model(model_config, settings);
    if (!config.plugins.empty()) built.plugins = std::make_shared<Plugins>(config.plugins);
    built.task = make_task(config.model.task,
                           {.pooling = config.model.pooling,
                            .labels = labels,
                            .loss = config.train.loss,
                            .scores = config.eval.scores,
                            .plugins = built.plugins,
                            .stop_tokens = config.generate.eos_token_id,
                            .tokenizer = tokenizer,
                            .device = device,
                            .dtype = dtype,
                            .seed = derive_key(seed, "head"),
                            .dropout_seed = derive_key(seed, "head dropout")},
                           *built.model);
    // A class that the family lacks is told now, and not when the trained model is written.
    require_same_kind(config, *built.model, directory);
    built.model->architecture(task_named(config.model.task).class_ending);
    if (!files) return;
    Parameters of_files = all_saved(*built.model, *built.task);
    if (adapter) std::erase_if(of_files, [&](const Parameter& one) { return adapter->find(one.name) != nullptr; });
    const std::set<std::string> frozen = frozen_names(config, purpose, adapted, built);
    report = load_pretrained(files, *built.model, of_files,
                             {.ignore_mismatched_sizes = config.model.ignore_mismatched_sizes,
                              .is_frozen = [&](const Parameter& one) { return frozen.contains(one.name); },
                              .share = {control.rank(), control.size()}});
    built.from_files = report.from_files;
    built.adapters = build_adapters(config, adapter, *built.model, *built.task, report);
    if (adapter)
      for (const std::string& name : adapter->names()) built.from_files.given.insert(name);
    const auto of_backbone = [&](const Parameter& one) { return one.stage <= built.model->pooler_stage(); };
    if (std::ranges::none_of(report.untouched, of_backbone)) return;
    settings.seed = initial;
    take_values(report.untouched, make_model(model_config, settings)->parameters());
  });
  if (built.plugins) require_agreement(control, [&] { return plugin_facts(*built.plugins); });
  const bool is_compared = control.size() > 1 || purpose == Purpose::training || !directory.adapter().empty();
  if (files && is_compared) {  // a pass over all weights, which a chat need not wait for
    TensorChecksums tensors;
    together(control, [&] { tensors = checksums_of(*files); });
    require_agreement(control, [&] { return weight_facts(tensors, config.model.model_name_or_path); });
    built.weights_checksum = digest_of(tensors);
  }
  if (control.rank() == 0)
    if (const std::string text = describe(report); !text.empty()) log::info(text);
  if (control.rank() != 0 || config.model.init != "pretrained") return built;
  if (const std::string lacks = what_trunk_lacks(report); !lacks.empty())
    log::warn(concat(directory.path(), ": ", lacks));
  warn_of_other_labels(report, built, directory, labels);
  warn_of_unknown_scale(config, *built.model, directory);
  if (!directory.adapter().empty())
    warn_of_another_base(AdapterFiles(directory.adapter()), built.weights_checksum, directory);
  return built;
}

at::ScalarType parameter_type(const RunConfig& config) {
  return config.model.dtype == "float64" ? at::kDouble : at::kFloat;
}

BatchNormMode batch_norm_mode(const RunConfig& config) {
  const std::string& mode = config.train.batch_norm;
  return mode == "frozen"  ? BatchNormMode::frozen
         : mode == "local" ? BatchNormMode::local
                           : BatchNormMode::synchronized;
}

BatchNormRule batch_norm_rule(const RunConfig& config, BatchStatistics& over) {
  return {
      .mode = batch_norm_mode(config), .still_where_frozen = config.freeze.freeze_batch_norm_statistics, .over = &over};
}

void check_fit(const RunConfig& config, const Model& model, const Datasets& data, const ModelDirectory& directory) {
  const std::optional<TextLimits> limits = model.text_limits();
  if (data.train->size() == 0) throw DataError("the training data has no rows");
  if (!limits) {
    const Schema& stored = data.train->schema();
    const Schema seen = seen_through(augmentation_of(config, stored), stored);
    require_picture_size(model.needs(), seen);
    if (const Column* pixels = seen.find("pixels")) require_side(model, pixels->shape[0], pixels->shape[1]);
    return;
  }
  if (data.tokenizer->vocab_size() > limits->vocab_size)
    throw DataError(concat(directory.path(), ": the tokenizer gives ids up to ", data.tokenizer->vocab_size() - 1,
                           ", and the model has ", limits->vocab_size, " embeddings; they are not of one model"));
  const bool is_cut_to_fit = task_named(config.model.task).max_length > 0;
  // Of samples with a source and a target, shards tell the length of both together; each side was cut to the positions.
  const bool has_two_texts = data.train->schema().units.size() > 1;
  const int64_t longest =
      std::max(is_cut_to_fit ? 0 : config.data.max_length, has_two_texts ? 0 : data.train->info().max_length);
  if (longest > limits->max_positions)
    throw ConfigError(
        concat("data.max_length is ", longest, ", and the model has positions for ", limits->max_positions, " tokens"));
}

}  // namespace sft
