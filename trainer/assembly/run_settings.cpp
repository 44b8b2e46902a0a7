#include "trainer/assembly/run_settings.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "base/random.h"
#include "base/text.h"
#include "data/loading/box_columns.h"
#include "trainer/assembly/hyperparameters.h"
#include "trainer/config/training_keys.h"
#include "trainer/tasks/tasks.h"
#include "trainer/telemetry/command.h"
#include "trainer/telemetry/console.h"

namespace sft {
namespace {

// Of a micro-batch, where the config names none.
constexpr int64_t kThreadTokens = 1024, kCpuTokens = 8192, kCpuImages = 64, kDeviceTokens = 32768, kDeviceImages = 512;
constexpr int kDeterministicParts = 8;

std::vector<std::string> metric_names(const Task& task) {
  std::vector<std::string> names;
  const auto all = task.metrics(task.empty_statistics());
  for (const auto& [name, value] : all.items()) names.push_back(name);
  return names;
}

void require_metric(const char* key, const std::string& name, const std::vector<std::string>& there) {
  if (std::ranges::find(there, name) == there.end())
    throw ConfigError(
        concat(key, ": no metric ", in_quotes(name), did_you_mean(name, there), "; there are: ", join(there, ", ")));
}

// Those that evaluations tell.
std::vector<std::string> told_metrics(const RunConfig& config, const Task& task) {
  std::vector<std::string> told = metric_names(task);
  if (config.eval.scores.metrics.empty()) return told;
  for (const std::string& name : config.eval.scores.metrics) require_metric("eval.metrics", name, told);
  told = config.eval.scores.metrics;
  told.push_back("loss");
  return told;
}

// What a thread works on stays in its caches, and the activations of more are memory alone. Where the bits are to be
// the same on any number of ranks, threads don't count.
int64_t host_tokens(const RunConfig& config) {
  return config.deterministic ? kThreadTokens : std::min(kThreadTokens * at::get_num_threads(), kCpuTokens);
}

// Where every pixel has logits, and where attention is over all patches of large pictures: as many as have the pixels
// of so many of 128 × 128.
int64_t pictures_of_pixels(int64_t images, const DataConfig& data) {
  constexpr int64_t kSide = 128, kUnknownSide = 512;
  const int64_t side = data.image_size > 0 ? data.image_size : kUnknownSide;
  return std::clamp<int64_t>(images * kSide * kSide / (side * side), 1, images);
}

}  // namespace

Cadence cadence(const std::string& strategy, double steps, int64_t batches_per_epoch, int64_t total) {
  if (strategy == "epoch") return {batches_per_epoch, total};
  if (strategy == "steps") return {steps_of(steps, total), total};
  return {};
}

Selection selection(const RunConfig& config, const Task& task) {
  Selection chosen;
  const std::vector<std::string> told = told_metrics(config, task);
  chosen.metric = config.eval.metric_for_best_model;
  if (chosen.metric == "auto")
    chosen.metric = config.eval.scores.metrics.empty() ? task.default_metric() : told.front();
  if (chosen.metric.starts_with("eval_")) chosen.metric.erase(0, 5);
  require_metric("eval.metric_for_best_model", chosen.metric, told);
  chosen.greater_is_better = config.eval.greater_is_better == AutoBool::automatic
                                 ? task.more_is_better(chosen.metric)
                                 : config.eval.greater_is_better == AutoBool::yes;
  chosen.patience = config.eval.early_stopping_patience;
  chosen.saves_best = config.eval.load_best_model_at_end || config.save.save_strategy == "best";
  chosen.ends_with_best = config.eval.load_best_model_at_end;
  return chosen;
}

int64_t micro_batch_tokens(const RunConfig& config, const at::Device& device) {
  if (config.train.max_tokens_per_micro_batch > 0) return config.train.max_tokens_per_micro_batch;
  const TaskKind& task = task_named(config.model.task);
  if (task.takes == Takes::pictures) {
    const int64_t images = device.is_cpu() ? kCpuImages : kDeviceImages;
    const bool is_of_places = is_mask(task.target) || task.target.axis == kBoxAxis;
    return is_of_places ? pictures_of_pixels(images, config.data) : images;
  }
  return device.is_cpu() ? host_tokens(config) : kDeviceTokens;
}

// An eighth of the side, which is 4 pixels of CIFAR's 32, as its usual recipe has it.
Augmentation augmentation_of(const RunConfig& config, const Schema& schema) {
  const auto picture = std::ranges::find_if(schema.columns, is_picture);
  const int64_t side = picture == schema.columns.end() ? 0 : std::min(picture->shape[0], picture->shape[1]);
  const int64_t padding = config.data.crop == "random" ? std::max<int64_t>(side / 8, 1) : 0;
  Augmentation how{.padding = padding,
                   .flip = config.data.horizontal_flip,
                   .seed = derive_key(static_cast<uint64_t>(config.seed), "augmentation")};
  const NumberList &scale = config.data.crop_scale, &ratio = config.data.crop_ratio;
  if (config.data.crop == "random_resized")
    how.resized_crop = {.scale = {scale.front(), scale.back()},
                        .ratio = {ratio.front(), ratio.back()},
                        .size = config.data.image_size,
                        .interpolation = interpolation_of(config.data)};
  const NumberList& factors = config.data.random_scale;
  if (!factors.empty() && picture != schema.columns.end()) {
    const int64_t size = config.data.image_size;
    how.scaled_crop = {.scale = {factors.front(), factors.back()},
                       .height = size > 0 ? size : picture->shape[0],
                       .width = size > 0 ? size : picture->shape[1],
                       .interpolation = interpolation_of(config.data)};
    if (schema.find(kView) != nullptr) how.scaled_crop->beside = padding_colour(config.data.mean);
  }
  return how;
}

Evaluator::Settings evaluator_settings(const RunConfig& config, const at::Device& device) {
  const AnswerConfig& answers = config.eval.scores.answers;
  return {.loading = {micro_batch_tokens(config, device), config.eval.per_device_eval_batch_size, num_parts(config)},
          .metrics = config.eval.scores.metrics,
          .answers = {config.generate, static_cast<uint64_t>(config.seed),
                      answers.generate ? answers.max_generate_samples : 0}};
}

int num_parts(const RunConfig& config) { return config.deterministic ? kDeterministicParts : 0; }

void check_deterministic(const RunConfig& config, const World& world) {
  if (!config.deterministic) return;
  const int ranks = world.gradients.size();
  if (kDeterministicParts % ranks != 0)
    throw ConfigError(concat("deterministic = true cuts each batch into ", kDeterministicParts,
                             " parts, of which each rank holds equally many: 1, 2, 4 or 8 ranks, and there are ",
                             ranks));
  if (!world.device.is_cpu())
    throw ConfigError("deterministic = true is built for ranks on CPU cores; set device = \"cpu\"");
  if (config.parallel.strategy == "zero2" || config.parallel.strategy == "zero3")
    throw ConfigError(
        concat("deterministic = true adds whole gradients of parts of a batch as a tree, and with parallel.strategy = ",
               in_quotes(config.parallel.strategy), " no rank has them; set it to \"zero1\" or \"replicated\""));
}

std::string why_not_spread(const RunConfig& config, const Model& model) {
  if ((model.blocks_share_parameters() && model.blocks_sharing_weights() == 1) || !model.runs_stage_by_stage())
    return concat("models whose blocks read parameters of other stages, as this one (",
                  model.config().value("model_type", "?"), ")");
  if (config.model.dtype != "float32" && config.model.dtype != "float64")
    return concat("model.dtype = ", in_quotes(config.model.dtype),
                  ": the copies of weights in that type would be whole on every rank");
  if (config.train.l2_from_start > 0)
    return "train.l2_from_start: every rank would hold the weights that training starts from";
  return "";
}

void check_spread_parameters(const RunConfig& config, const Model& model) {
  if (config.parallel.strategy != "zero3") return;
  if (const std::string why = why_not_spread(config, model); !why.empty())
    throw ConfigError(concat("parallel.strategy = \"zero3\" is not built for ", why, "; set it to \"zero2\""));
}

int64_t num_threads(const RunConfig& config) {
  return config.deterministic && config.threads == 0 ? 1 : config.threads;
}

int64_t steps_in_all(const RunConfig& config, int64_t batches_per_epoch) {
  if (config.train.max_steps > 0) return config.train.max_steps;
  const double steps = std::ceil(config.train.num_train_epochs * static_cast<double>(batches_per_epoch) - 1e-9);
  if (steps > static_cast<double>(kMostUpdates))
    throw ConfigError(concat("train.num_train_epochs = ", config.train.num_train_epochs, " are ", steps,
                             " updates; wanted at most ", kMostUpdates));
  return static_cast<int64_t>(steps);
}

std::function<double(int64_t, int64_t)> work_of(const Learner& learner) {
  const int blocks = learner.model().num_blocks();
  int lowest = blocks + 1;
  for (const Parameter& parameter : learner.trained()) lowest = std::min(lowest, std::max(parameter.stage, 1));
  const double trained = static_cast<double>(blocks + 1 - lowest) / blocks;
  // The frozen weights beside adapters hand gradients down, and get none.
  const double backward = learner.adapters().empty() ? 2 : 1;
  return [&learner, trained, backward](int64_t tokens, int64_t samples) {
    const double passes = learner.has_cache() ? (1 + backward) * trained : 1 + backward * trained;
    const int64_t read = learner.rows_read(tokens, samples);
    return passes * learner.model().flops(tokens, read) + (1 + backward) * learner.task().flops(read);
  };
}

MetricWords metric_words(const RunConfig& config, const Task& task) {
  const Statistics none = task.empty_statistics();
  const StringList& told = config.eval.scores.metrics;
  const bool tells_accuracy = told.empty() || std::ranges::find(told, "accuracy") != told.end();
  return task.metrics(none).contains("f1") ? MetricWords(task.details(none), tells_accuracy) : MetricWords();
}

std::vector<Sink> open_sinks(const RunConfig& config, const MetricWords& words, int64_t resumed_step) {
  const auto spoken = [words](const std::string& metric) {
    return words.repeats(metric) ? "" : escaped(metric + words.remark(metric));
  };
  std::vector<Sink> sinks{make_jsonl(config.output_dir + "/metrics.jsonl", resumed_step),
                          make_console(config.log.progress, spoken)};
  for (const std::string& target : config.log.report_to)
    if (target == "tensorboard")
      sinks.push_back(make_tensorboard(config.output_dir + "/events", resumed_step, hyperparameters(config)));
  if (!config.hooks.on_evaluation.empty())
    sinks.push_back(
        make_evaluation_hook(config.hooks.on_evaluation, config.hooks.kill_after_seconds, config.output_dir));
  return sinks;
}

}  // namespace sft
