// The order in which a run is built: data, model, what trains, the way of an update, and the loop over them.
#include "trainer/assembly/assemble.h"

#include <algorithm>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "comm/agree.h"
#include "comm/tree_ordered.h"
#include "trainer/assembly/base_checksum.h"
#include "trainer/assembly/build_model.h"
#include "trainer/assembly/check_samples.h"
#include "trainer/assembly/gemm_peak.h"
#include "trainer/assembly/generate_settings.h"
#include "trainer/assembly/make_activation_cache.h"
#include "trainer/assembly/make_explaining.h"
#include "trainer/assembly/make_learner.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/assembly/settle_decisions.h"
#include "trainer/assembly/told_mistakes.h"
#include "trainer/assembly/trainer_settings.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/model_files/weights_checksum.h"
#include "trainer/tasks/blocks/logits_task.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

// Null where the order of sums is free.
std::unique_ptr<Communicator> tree_of(const RunConfig& config, Communicator& world) {
  return config.deterministic ? tree_ordered(world.split(0, world.rank())) : nullptr;
}

// Answers end where training has them end.
void settle_stop_tokens(Assembly& run) {
  const TaskKind& task = task_named(run.config().model.task);
  if (task.stop_tokens == nullptr) return;
  run.loaded.config.generate = settled(run.config().generate, run.loaded.origins, *run.directory,
                                       task.stop_tokens(run.config().data, *run.data.tokenizer));
}

// Of the files at the paths that the config names: other content there is another training.
nlohmann::json checksums_of(const ModelDirectory& directory, const std::string& weights, Communicator& control) {
  std::string text;
  together(control, [&] {
    if (control.rank() != 0) return;
    nlohmann::json read = directory.config();
    for (const char* of_storage : {"dtype", "torch_dtype"}) read.erase(of_storage);
    const std::string model_config = read.dump();
    nlohmann::json sums{{"config", hex_of(crc32c(model_config.data(), model_config.size()))}};
    if (!weights.empty()) sums["weights"] = weights;
    if (!directory.adapter().empty()) sums["adapter"] = checksum_of(AdapterFiles(directory.adapter()));
    text = sums.dump();
  });
  return nlohmann::json::parse(broadcast_from(control, text));
}

// Collective. Weights that say how often a row is drawn do not weigh its loss once more.
void make_order(Assembly& run) {
  const RunConfig& config = run.config();
  Communicator& control = run.world.control;
  together(control,
           [&] { run.global_batch_size = resolve_global_batch_size(config, run.loaded.origins, control.size()); });
  const std::string& strategy = config.data.train_sampling_strategy;
  run.sampler = make_sampler(strategy, *run.data.train, static_cast<uint64_t>(config.seed), run.global_batch_size,
                             peers_of(control));
  if (strategy == "weighted") run.data.train = without_weights(std::move(run.data.train));
}

// Norms that take their batch from all ranks make every rank run equally many micro-batches.
bool sums_statistics(const RunConfig& config, const Model& model) {
  return config.train.batch_norm == "synchronized" && model.has_batch_norms();
}

// A norm's sums during backward would go through MPI beside those of the gradients, and MPI allows one thread at a
// time; on a device they stand in one queue with them. A tensor that several blocks share, as encoder-decoders, ALBERT
// and DeBERTa have them, gets its gradient in as many parts where blocks are run again: it is whole at the end alone.
Leave leave_of(const Assembly& run, const Model& model) {
  const bool meet_in_mpi = sums_statistics(run.config(), model) && run.world.device.is_cpu();
  const bool comes_in_parts = run.config().train.gradient_checkpointing && model.blocks_share_parameters();
  return run.world.gradients.overlaps() && !meet_in_mpi && !comes_in_parts ? Leave::when_full : Leave::at_the_end;
}

std::unique_ptr<Loader> make_loader(const Assembly& run, const Model& model) {
  const RunConfig& config = run.config();
  const Communicator& control = run.world.control;
  return make_loader(*run.data.train, *run.sampler, {control.rank(), control.size()},
                     {.global_batch_size = run.global_batch_size,
                      .max_tokens = micro_batch_tokens(config, run.world.device),
                      .max_samples = config.train.per_device_train_batch_size,
                      .parts = num_parts(config),
                      .augmentation = augmentation_of(config, run.data.train->schema()),
                      .even = sums_statistics(config, model)},
                     static_cast<uint64_t>(config.seed));
}

void make_update(Assembly& run, std::unique_ptr<Learner> learner) {
  const RunConfig& config = run.config();
  const Model& model = learner->model();
  std::unique_ptr<Loader> loader = make_loader(run, model);
  run.total_steps = steps_in_all(config, loader->batches_per_epoch());
  const UpdateSettings settings{
      .optim = config.optim,
      .scheduler = config.scheduler,
      .total_steps = run.total_steps,
      .parallel = config.parallel,
      .sync = {.bucket_bytes = config.comm.bucket_bytes,
               .leave = leave_of(run, model),
               .parts = config.deterministic ? num_parts(config) / run.world.gradients.size() : 1},
      .batch_norm = batch_norm_mode(config)};
  run.update = make_update(std::move(learner), std::move(loader), settings, run.world.gradients, run.world.control);
}

void make_evaluator(Assembly& run) {
  if (!run.data.validation) return;
  Evaluator::Settings settings = evaluator_settings(run.config(), run.world.device);
  settings.mistakes = mistake_settings(run);
  run.evaluator = std::make_unique<Evaluator>(run.learner(), *run.data.validation, run.world.control, settings);
}

void make_telemetry(Assembly& run) {
  const RunConfig& config = run.config();
  const at::ScalarType type = config.model.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat;
  const double peak = sum(run.world.control, measured_gemm_flops(run.world.device, type));
  run.telemetry = std::make_unique<Telemetry>(
      Telemetry::Settings{.lines = {steps_of(config.log.logging_steps, run.total_steps), run.total_steps},
                          .total_steps = run.total_steps,
                          .sample_ids = config.log.sample_ids,
                          .flops = work_of(run.learner()),
                          .peak_flops = peak,
                          .traced_updates = config.log.trace,
                          .trace_path = config.output_dir + "/trace.json"},
      run.world.control, [&run](int64_t resumed_step) {
        return open_sinks(run.config(), metric_words(run.config(), run.learner().task()), resumed_step);
      });
}

void make_margins(Assembly& run) {
  const RunConfig& config = run.config();
  if (!config.train.record_margins) return;
  const TaskKind& kind = task_of_type(config.model.task, run.data.labels.problem_type);
  auto* task = dynamic_cast<LogitsTask*>(&run.learner().task());
  if (!(kind.target == label_column(0)) || task == nullptr || !task->has_logits_of_samples())
    throw ConfigError(concat(place_of(run.loaded.origins, "train.record_margins"),
                             "train.record_margins is for rows of one label, and these rows are for ", kind.name,
                             *kind.problem_type == '\0' ? "" : concat(" of ", kind.problem_type),
                             "; leave it at false"));
  run.margins = std::make_unique<Margins>(run.data.train->size());
  task->watch_training(
      [margins = run.margins.get()](const at::Tensor& logits, const Batch& batch) { margins->add(logits, batch); });
}

// Collective, once the weights are those of the checkpoint that the run goes on from.
void cache_activations(Assembly& run) {
  const RunConfig& config = run.config();
  if (config.freeze.cache == "off") return;
  const EvalLoaderConfig loading = evaluator_settings(config, run.world.device).loading;
  const auto cached = [&](const Dataset& dataset, const char* what) {
    return make_activation_cache(config, run.learner(), dataset, what, run.world.control, loading);
  };
  run.learner().use_cache(cached(*run.data.train, "training"));
  if (run.evaluator) run.evaluator->use_cache(cached(*run.data.validation, "validation"));
}

void make_trainer(Assembly& run) {
  run.checkpoints =
      std::make_unique<Checkpoints>(run.config().output_dir, run.config().save, run.world.control, real_files());
  run.trainer = std::make_unique<Trainer>(parts_of(run, *run.update.schedule), trainer_settings(run));
}

}  // namespace

Assembly::Assembly(LoadedConfig config, const World& ranks)
    : loaded(std::move(config)),
      tree_gradients(tree_of(loaded.config, ranks.gradients)),
      tree_control(tree_of(loaded.config, ranks.control)),
      world{tree_gradients ? *tree_gradients : ranks.gradients, tree_control ? *tree_control : ranks.control,
            ranks.device, ranks.stop_requested} {}

void resume(Assembly& run) {
  run.trainer->resume();
  cache_activations(run);
}

std::unique_ptr<Explaining> explaining_of(const Assembly& run) {
  const RunConfig& config = run.config();
  if (config.eval.explain == "no") return nullptr;
  return make_explaining({"eval.explain", config.eval.explain, ""},
                         task_of_type(config.model.task, run.data.labels.problem_type), run.learner(),
                         run.data.tokenizer.get());
}

TrainerParts parts_of(Assembly& run, Schedule& schedule) {
  return {run.world.control, run.update,     schedule,         run.evaluator.get(),
          *run.checkpoints,  *run.telemetry, run.margins.get()};
}

std::unique_ptr<Assembly> assemble(LoadedConfig loaded, const World& world, const OpenDatasets& open) {
  together(world.control, [&] { check_deterministic(loaded.config, world); });
  auto run = std::make_unique<Assembly>(std::move(loaded), world);
  const RunConfig& config = run->config();
  Communicator& control = run->world.control;

  together(control, [&] {
    run->directory = std::make_unique<ModelDirectory>(config.model.model_name_or_path, config.model.adapter);
    settle_reading(run->loaded, *run->directory);
  });
  run->data = open(run->loaded, *run->directory, control);
  together(control, [&] { settle_stop_tokens(*run); });
  run->batch_statistics = std::make_unique<WorldStatistics>(world.device.is_cpu() ? control : run->world.gradients);
  Built built = build_model(config, Purpose::training, *run->directory, run->data.labels, run->data.tokenizer.get(),
                            world.device, batch_norm_rule(config, *run->batch_statistics), control);
  run->model_files = checksums_of(*run->directory, built.weights_checksum, control);
  run->plugins = built.plugins;
  std::unique_ptr<Learner> learner;
  together(control, [&] { learner = make_learner(*run, std::move(built)); });
  if (const auto look_at = task_of_type(config.model.task, run->data.labels.problem_type).look_at)
    look_at(*run->data.train, learner->model().config(), control);
  if (const Parameters base = learner->of_base(); !base.empty())
    run->base_checksum = base_checksum(base, parameter_type(config), control);
  make_order(*run);
  together(control, [&] {
    check_cache(config, *learner, run->data.train->schema());
    check_decisions(config, learner->task());
    make_update(*run, std::move(learner));
    make_margins(*run);
    explaining_of(*run);  // before hours of training: refused where there are no explanations
    make_evaluator(*run);
  });
  make_telemetry(*run);
  together(control, [&] { make_trainer(*run); });
  return run;
}

}  // namespace sft
