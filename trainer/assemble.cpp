#include "trainer/assemble.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/errors.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/adapters/freeze.h"
#include "trainer/gemm_peak.h"
#include "trainer/optim/groups.h"
#include "trainer/pretrained.h"
#include "trainer/training_keys.h"

namespace sft {
namespace {

constexpr int64_t kCpuTokens = 8192;  // of a micro-batch, where the config names none

int64_t micro_batch_tokens(const RunConfig& config) {
  return config.train.max_tokens_per_micro_batch > 0 ? config.train.max_tokens_per_micro_batch : kCpuTokens;
}

void check_fit(const RunConfig& config, const Model& model, const Datasets& data, const ModelDirectory& directory) {
  if (data.tokenizer->vocab_size() > model.vocab_size())
    throw DataError(concat(directory.path(), ": the tokenizer has ", data.tokenizer->vocab_size(),
                           " entries and the model only ", model.vocab_size(),
                           " embeddings; they are not of one model"));
  const int64_t longest = std::max(config.data.max_length, data.train->info().max_length);
  if (longest > model.max_positions())
    throw ConfigError(
        concat("data.max_length is ", longest, ", and the model has positions for ", model.max_positions(), " tokens"));
  if (data.train->size() == 0) throw DataError("the training data has no rows");
}

// The pooler stays still where the head does not read it.
std::vector<bool> trained_parameters(const RunConfig& config, const Built& built) {
  const Parameters all = all_parameters(*built.model, *built.task);
  std::vector<bool> trained = choose_trained(config.freeze, all, built.model->num_blocks());
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].stage == built.model->num_blocks() + 1 && !built.task->reads_pooler()) trained[i] = false;
  return trained;
}

int64_t steps_in_all(const RunConfig& config, int64_t batches_per_epoch) {
  if (config.train.max_steps > 0) return config.train.max_steps;
  return static_cast<int64_t>(std::ceil(config.train.num_train_epochs * static_cast<double>(batches_per_epoch) - 1e-9));
}

Cadence cadence(const std::string& strategy, double steps, int64_t batches_per_epoch, int64_t total) {
  if (strategy == "epoch") return {batches_per_epoch, total};
  if (strategy == "steps") return {steps_of(steps, total), total};
  return {};
}

Selection selection(const RunConfig& config, const Task& task) {
  Selection chosen;
  chosen.metric = config.eval.metric_for_best_model;
  if (chosen.metric == "auto") chosen.metric = task.default_metric();
  if (chosen.metric.starts_with("eval_")) chosen.metric.erase(0, 5);
  const auto known = task.metrics(task.empty_statistics());
  if (!known.contains(chosen.metric)) {
    std::vector<std::string> names;
    for (const auto& [name, value] : known.items()) names.push_back(name);
    throw ConfigError(concat("eval.metric_for_best_model: no metric ", quoted(chosen.metric),
                             did_you_mean(chosen.metric, names), "; there are: ", join(names, ", ")));
  }
  chosen.greater_is_better = config.eval.greater_is_better == AutoBool::automatic
                                 ? chosen.metric != "loss"
                                 : config.eval.greater_is_better == AutoBool::yes;
  chosen.patience = config.eval.early_stopping_patience;
  chosen.saves_best = config.eval.load_best_model_at_end || config.save.save_strategy == "best";
  return chosen;
}

// Only rank 0 reports. Lines of steps that a resumed run will do again are cut off first.
std::vector<Sink> open_sinks(const RunConfig& config, int64_t resumed_step) {
  std::vector<Sink> sinks{make_jsonl(config.output_dir + "/metrics.jsonl", resumed_step),
                          make_console(config.log.progress)};
  for (const std::string& target : config.log.report_to)
    if (target == "tensorboard") sinks.push_back(make_tensorboard(config.output_dir + "/events", resumed_step));
  return sinks;
}

// Operations of a step: a forward pass, and twice as many backward in the blocks that gradients reach.
std::function<double(int64_t, int64_t)> work_of(const Learner& learner) {
  const int blocks = learner.model().num_blocks();
  int lowest = blocks + 1;
  for (const Parameter& parameter : learner.trained()) lowest = std::min(lowest, std::max(parameter.stage, 1));
  const double passes = 1 + 2.0 * (blocks + 1 - lowest) / blocks;
  return [&learner, passes](int64_t tokens, int64_t samples) {
    return passes * learner.model().flops(tokens, samples, learner.task().reads());
  };
}

TrainerSettings trainer_settings(const Assembly& run) {
  const RunConfig& config = run.config();
  const int64_t per_epoch = run.loader->batches_per_epoch();
  std::string evaluations = config.eval.eval_strategy;
  if (evaluations == "auto") evaluations = run.evaluator ? "epoch" : "no";
  TrainerSettings settings;
  settings.total_steps = run.total_steps;
  settings.max_grad_norm = config.train.max_grad_norm;
  settings.penalty = {config.train.l1, config.train.l2};
  settings.evaluations = cadence(evaluations, config.eval.eval_steps, per_epoch, run.total_steps);
  settings.saves = cadence(config.save.save_strategy, config.save.save_steps, per_epoch, run.total_steps);
  settings.selection = selection(config, run.learner->task());
  settings.resumes = config.resume_from_checkpoint != "none";
  if (settings.resumes && config.resume_from_checkpoint != "auto")
    settings.resume_directory = config.resume_from_checkpoint;
  settings.save_only_model = config.save.save_only_model;
  settings.max_seconds = seconds_of(config.train.max_time, "train.max_time");
  if (config.save.save_on_signal) settings.stop_requested = run.world.stop_requested;
  settings.settings = training_keys(config, run.global_batch_size, run.data.train->info().fingerprint);
  settings.files = run.files;
  return settings;
}

}  // namespace

Evaluator::Budget evaluation_budget(const RunConfig& config) {
  return {micro_batch_tokens(config), config.eval.per_device_eval_batch_size};
}

Built build_model(const RunConfig& config, const ModelDirectory& directory, const Labels& labels,
                  const at::Device& device, Communicator& control) {
  Built built;
  LoadReport report;
  together(control, [&] {
    nlohmann::json model_config = directory.config();
    for (const auto& [key, value] : config.model.config.items()) model_config[key] = value;
    const auto dtype = config.model.dtype == "float64" ? at::kDouble : at::kFloat;
    const auto seed = static_cast<uint64_t>(config.seed);
    built.model = make_model(model_config, device, dtype, derive_key(seed, "model"));
    built.task = make_task(config.model.task,
                           {.pooling = config.model.pooling,
                            .label_names = labels.names,
                            .label_counts = labels.counts,
                            .class_weights = config.train.class_weights,
                            .label_smoothing_factor = config.train.label_smoothing_factor,
                            .device = device,
                            .dtype = dtype,
                            .seed = derive_key(seed, "head")},
                           *built.model);
    built.model->set_dropout_seed(derive_key(seed, "dropout"));
    built.task->set_dropout_seed(derive_key(seed, "head dropout"));
    if (config.model.init == "pretrained")
      report = load_pretrained(WeightFiles(directory.path()), *built.model, all_parameters(*built.model, *built.task),
                               config.model.ignore_mismatched_sizes);
  });
  if (control.rank() == 0)
    if (const std::string text = describe(report); !text.empty()) log::info(text);
  return built;
}

std::unique_ptr<Assembly> assemble(LoadedConfig loaded, const World& world) {
  auto run = std::unique_ptr<Assembly>(new Assembly{.loaded = std::move(loaded), .world = world});
  const RunConfig& config = run->config();
  Communicator& control = world.control;
  const auto seed = static_cast<uint64_t>(config.seed);

  together(control, [&] { run->directory = std::make_unique<ModelDirectory>(config.model.model_name_or_path); });
  run->data = open_datasets(run->loaded, *run->directory, control);
  Built built = build_model(config, *run->directory, run->data.labels, world.device, control);

  together(control, [&] {
    check_fit(config, *built.model, run->data, *run->directory);
    std::vector<bool> trained = trained_parameters(config, built);
    if (control.rank() == 0) log::info(summary_of(all_parameters(*built.model, *built.task), trained));
    run->files = run->directory->files_for(*built.model, *built.task, config.model.task, *run->data.tokenizer,
                                           config.data.max_length);
    run->learner =
        std::make_unique<Learner>(std::move(built.model), std::move(built.task), std::move(trained), world.device);

    const Grouping grouping =
        group_parameters(config.optim, run->learner->trained(), run->learner->model().num_blocks());
    run->arena = std::make_unique<Arena>(run->learner->trained(), grouping.group_of);
    run->gradients = make_replicated(*run->arena, world.gradients, config.comm.bucket_bytes);
    run->optimizer = make_optimizer(config.optim, *run->arena, grouping.groups);

    run->global_batch_size = resolve_global_batch_size(config, run->loaded.origins, control.size());
    run->sampler = make_sampler(config.data.train_sampling_strategy, *run->data.train, seed, run->global_batch_size);
    run->loader = make_loader(*run->data.train, *run->sampler, {control.rank(), control.size()},
                              {.global_batch_size = run->global_batch_size,
                               .max_tokens = micro_batch_tokens(config),
                               .max_samples = config.train.per_device_train_batch_size},
                              seed);
    run->total_steps = steps_in_all(config, run->loader->batches_per_epoch());
    run->schedule = make_schedule(config.scheduler, config.optim.learning_rate, run->total_steps);
    if (run->data.validation)
      run->evaluator =
          std::make_unique<Evaluator>(*run->learner, *run->data.validation, control, evaluation_budget(config));
    run->checkpoints = std::make_unique<Checkpoints>(config.output_dir, config.save, control, real_files());
  });

  const double peak = sum(control, measured_gemm_flops());
  run->telemetry = std::make_unique<Telemetry>(
      Telemetry::Settings{.lines = {steps_of(config.log.logging_steps, run->total_steps), run->total_steps},
                          .total_steps = run->total_steps,
                          .sample_ids = config.log.sample_ids,
                          .flops = work_of(*run->learner),
                          .peak_flops = peak},
      control, [&config](int64_t resumed_step) { return open_sinks(config, resumed_step); });
  together(control, [&] {
    run->trainer = std::make_unique<Trainer>(
        TrainerParts{control, *run->loader, *run->learner, *run->arena, *run->gradients, *run->optimizer,
                     *run->schedule, run->evaluator.get(), *run->checkpoints, *run->telemetry},
        trainer_settings(*run));
  });
  return run;
}

}  // namespace sft
