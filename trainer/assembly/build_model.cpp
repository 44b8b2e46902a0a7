#include "trainer/assembly/build_model.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
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
#include "trainer/assembly/doubts.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/model_files/keras_weights.h"
#include "trainer/model_files/pretrained.h"
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

// The directory's config.json with what the run's config says beside it.
nlohmann::json model_config_of(const RunConfig& config, const ModelDirectory& directory) {
  nlohmann::json model_config = directory.config();
  for (const auto& [key, value] : config.model.config.items()) model_config[key] = value;
  if (config.data.image_size > 0 && !keeps_image_size(model_config))
    model_config["image_size"] = config.data.image_size;
  set_pixel_scale(config.data, model_config);
  return model_config;
}

std::unique_ptr<Task> make_task_of(const RunConfig& config, const Labels& labels, const Tokenizer* tokenizer,
                                   const at::Device& device, const Built& built) {
  const auto seed = static_cast<uint64_t>(config.seed);
  return make_task(config.model.task,
                   {.pooling = config.model.pooling,
                    .labels = labels,
                    .loss = config.train.loss,
                    .scores = config.eval.scores,
                    .plugins = built.plugins,
                    .stop_tokens = config.generate.eos_token_id,
                    .tokenizer = tokenizer,
                    .device = device,
                    .dtype = parameter_type(config),
                    .seed = derive_key(seed, "head"),
                    .dropout_seed = derive_key(seed, "head dropout")},
                   *built.model);
}

// Weights and adapters of the directory; the part of them that `share` says is looked through for what is no number.
void load_weights(const std::shared_ptr<const WeightFiles>& files, const RunConfig& config, Purpose purpose,
                  const ModelDirectory& directory, const Shard& share, Built& built) {
  std::optional<AdapterFiles> adapter;
  if (!directory.adapter().empty()) adapter.emplace(directory.adapter());
  Parameters of_files = all_saved(*built.model, *built.task);
  if (adapter) std::erase_if(of_files, [&](const Parameter& one) { return adapter->find(one.name) != nullptr; });
  const std::set<std::string> frozen = frozen_names(config, purpose, has_adapters(config, directory), built);
  built.report = load_pretrained(files, *built.model, of_files,
                                 {.ignore_mismatched_sizes = config.model.ignore_mismatched_sizes,
                                  .is_frozen = [&](const Parameter& one) { return frozen.contains(one.name); },
                                  .share = share});
  built.from_files = built.report.from_files;
  built.adapters = build_adapters(config, adapter, *built.model, *built.task, built.report);
  if (adapter)
    for (const std::string& name : adapter->names()) built.from_files.given.insert(name);
}

// What the files lacked of the backbone starts as a model without files does.
void draw_what_files_lacked(const Built& built, const nlohmann::json& model_config, const ModelSettings& drawn) {
  const Parameters& untouched = built.report.untouched;
  if (std::ranges::none_of(untouched, [&](const Parameter& one) { return one.stage <= built.model->pooler_stage(); }))
    return;
  const at::NoGradGuard no_graph;
  for (const Parameter& source : make_model(model_config, drawn)->parameters())
    for (const Parameter& parameter : untouched)
      if (source.name == parameter.name) at::Tensor(parameter.value).copy_(source.value);
}

// Collective: ranks read the same weights. Their digest.
std::string agreed_checksum(const WeightFiles& files, const std::string& model, Communicator& control) {
  TensorChecksums tensors;
  together(control, [&] { tensors = checksums_of(files); });
  require_agreement(control, [&] { return weight_facts(tensors, model); });
  return digest_of(tensors);
}

}  // namespace

Built build_model(const RunConfig& config, Purpose purpose, const ModelDirectory& directory, const Labels& labels,
                  const Tokenizer* tokenizer, const at::Device& device, const BatchNormRule& batch_norm,
                  Communicator& control) {
  const TimedPhase phase("load");
  Built built;
  std::shared_ptr<const WeightFiles> files;
  together(control, [&] {
    failpoint("model.load");
    const nlohmann::json model_config = model_config_of(config, directory);
    if (config.model.init == "pretrained") files = open_weights(directory.path(), model_config);
    const auto seed = static_cast<uint64_t>(config.seed);
    ModelSettings settings{.device = device,
                           .dtype = parameter_type(config),
                           .compute_type = compute_type(config, device, control),
                           .dropout_seed = derive_key(seed, "dropout"),
                           .batch_norm = batch_norm,
                           .file_names = files ? names_without_copies(*files) : std::vector<std::string>{}};
    if (files && (has_adapters(config, directory) || purpose == Purpose::prediction))
      settings.held_type = narrow_type_in(*files);
    ModelSettings drawn = settings;
    drawn.seed = derive_key(seed, "model");
    built.model = make_model(model_config, files ? settings : drawn);
    if (!config.plugins.empty()) built.plugins = std::make_shared<Plugins>(config.plugins);
    built.task = make_task_of(config, labels, tokenizer, device, built);
    // A class that the family lacks is told now, and not when the trained model is written.
    require_same_kind(config, *built.model, directory);
    built.model->architecture(task_named(config.model.task).class_ending);
    if (!files) return;
    load_weights(files, config, purpose, directory, {control.rank(), control.size()}, built);
    draw_what_files_lacked(built, model_config, drawn);
  });
  if (built.plugins) require_agreement(control, [&] { return plugin_facts(*built.plugins); });
  const bool is_compared = control.size() > 1 || purpose == Purpose::training || !directory.adapter().empty();
  if (files && is_compared)  // a pass over all weights, which a chat need not wait for
    built.weights_checksum = agreed_checksum(*files, config.model.model_name_or_path, control);
  if (control.rank() != 0) return built;
  if (const std::string text = describe(built.report); !text.empty()) log::info(text);
  if (files) tell_doubts(config, built, directory, labels);
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

}  // namespace sft
