#include "equivalence/variants.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <mutex>

#include "base/file_ops.h"
#include "base/random.h"
#include "comm/make_communicator.h"
#include "comm/tree_ordered.h"
#include "data/loading/loader.h"
#include "equivalence/boxes.h"
#include "equivalence/completions.h"
#include "equivalence/own_loss.h"
#include "equivalence/pairs.h"
#include "equivalence/questions.h"
#include "equivalence/supervision.h"
#include "equivalence/tiny_models.h"
#include "equivalence/two_terms.h"
#include "support/memory_dataset.h"
#include "trainer/adapters/target_modules.h"
#include "trainer/assembly/datasets.h"
#include "trainer/learner/compute_activations.h"
#include "trainer/learner/learner.h"
#include "trainer/loop/trainer.h"
#include "trainer/loop/update.h"
#include "trainer/tasks/causal_lm/rows/columns.h"
#include "trainer/tasks/object_detection/rows/box_columns.h"
#include "trainer/tasks/question_answering/rows/window_columns.h"
#include "trainer/tasks/recipes/target.h"
#include "trainer/tasks/seq2seq_lm/rows/columns.h"
#include "trainer/tasks/tasks.h"

namespace sft::equivalence {
namespace {

constexpr uint64_t kTrainSeed = 3;

std::vector<std::string> names_of(const std::string& task, int64_t count) {
  if (task == "token_classification") return {"O", "B-A", "I-A", "B-B", "I-B"};
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back("label" + std::to_string(i));
  return names;
}

// A directory of its own for each run; removed with it.
struct Scratch {
  std::filesystem::path path;
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sft-equivalence-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Scratch() { std::filesystem::remove_all(path); }
};

// Tells how much of each global batch this rank took.
class Counted : public Loader {
 public:
  Counted(std::unique_ptr<Loader> inner, int ranks, int64_t longest, int64_t& excess)
      : inner_(std::move(inner)), ranks_(ranks), longest_(longest), excess_(excess) {}
  Share next() override {
    Share share = inner_->next();
    int64_t tokens = 0;
    for (const Part& part : share.parts)
      for (const Batch& batch : part) tokens += batch.num_units();
    excess_ = std::max(excess_, tokens - share.group_tokens / ranks_ - longest_);
    return share;
  }
  void seek(const Cursor& cursor) override { inner_->seek(cursor); }
  int64_t batches_per_epoch() const override { return inner_->batches_per_epoch(); }

 private:
  std::unique_ptr<Loader> inner_;
  int ranks_;
  int64_t longest_;  // sample
  int64_t& excess_;
};

std::vector<double> numbers_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kDouble).flatten().contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

// The parts of a run as assemble would build them, over data in memory.
void train(const Case& job, const Cut& cut, Communicator& ranks, const std::string& directory, Outcome& outcome) {
  const auto tree = cut.parts > 0 ? tree_ordered(ranks.split(0, ranks.rank())) : nullptr;
  Communicator& world = tree ? *tree : ranks;
  const auto dtype = job.in_double ? at::kDouble : at::kFloat;
  const bool images = task_named(job.task).takes == Takes::pictures;
  const Column& target = task_of_type(job.task, job.problem_type).target;
  const auto made = [&](int64_t size, uint64_t seed) {
    if (target == seq2seq::target_tokens_column(0)) return rows_to_translate(size, kVocab, kLongest, seed);
    if (target == causal::spans_column(0)) return rows_to_complete(size, kVocab, kLongest, seed);
    if (target == span_column(0)) return windows_of_questions(size, kVocab, kLongest, seed);
    if (job.has_teacher) return rows_with_a_teacher(size, kVocab, job.num_labels, kLongest, seed);
    const int64_t side = job.cropped_to > 0 && seed != kTrainSeed ? job.cropped_to : 12;
    if (target == boxes_column()) return pictures_with_boxes(size, 12, job.num_labels, seed);
    if (is_mask(target)) return MemoryDataset::of_masks(size, 16, job.num_labels, seed);
    return images ? MemoryDataset::of_images(size, side, job.num_labels, seed)
                  : MemoryDataset(size, kVocab, job.num_labels, kLongest, seed, target);
  };
  const MemoryDataset data = made(job.rows, kTrainSeed);
  const auto held_out = held_out_of(cut.toy, std::make_unique<MemoryDataset>(made(13, 4)), world.size());

  WorldStatistics batch_statistics(world);
  auto model = make_model(
      job.model, {.dtype = dtype,
                  .seed = 11,
                  .dropout_seed = 13,
                  .batch_norm = {.mode = job.batch_norm, .still_where_frozen = true, .over = &batch_statistics}});
  auto task = make_task(job.task,
                        {.pooling = job.pooling,
                         .labels = {.names = names_of(job.task, job.num_labels),
                                    .counts = std::vector<int64_t>(static_cast<size_t>(job.num_labels), 3),
                                    .problem_type = job.problem_type,
                                    .num_rows = 7},
                         .loss = {.kind = job.loss,
                                  .label_smoothing_factor = job.label_smoothing,
                                  .class_weights = job.class_weights,
                                  .pos_weight = job.pos_weight,
                                  .logit_adjustment = job.logit_adjustment,
                                  .distill_weight = job.distill_weight},
                         .plugins = job.has_plugins ? own_plugins() : nullptr,
                         .device = at::kCPU,
                         .dtype = dtype,
                         .seed = 12,
                         .dropout_seed = 14},
                        *model);
  if (job.two_terms) task = with_second_term(std::move(task));
  LowRankAdapters adapters;
  if (job.lora.is_on())
    adapters = put_adapters(find_targets(job.lora.target_modules, model->linears()), job.lora, dtype, 15, 16);
  std::vector<bool> trained = trained_parameters(job.freeze, *model, *task, adapters);
  auto built = std::make_unique<Learner>(std::move(model), std::move(task), std::move(trained), LearnerSettings{},
                                         std::move(adapters));

  const bool shifts = images && target != boxes_column();
  Augmentation augmentation{.padding = shifts ? 2 : 0, .flip = images, .seed = 5};
  if (job.cropped_to > 0) augmentation = {.resized_crop = ResizedCrop{.size = job.cropped_to}, .flip = true, .seed = 5};
  if (job.scaled_to > 0)
    augmentation = {
        .scaled_crop = ScaledCrop{.height = job.scaled_to, .width = job.scaled_to}, .flip = true, .seed = 5};
  const auto sampler = make_sampler(job.sampling, data, 42, job.global_batch_size, peers_of(world));
  auto loader = std::make_unique<Counted>(
      loader_of(cut.toy, {world.rank(), world.size()},
                [&](Shard shard) {
                  return make_loader(data, *sampler, shard,
                                     {.global_batch_size = job.global_batch_size,
                                      .max_tokens = 8192,
                                      .max_samples = job.micro_batches_are_free ? cut.max_samples : 0,
                                      .parts = cut.parts,
                                      .prefetch = 1,
                                      .augmentation = augmentation,
                                      .even = job.batch_norm == BatchNormMode::synchronized},
                                     42);
                }),
      world.size(), data.info().max_length, outcome.excess);
  Update update = make_update(std::move(built), std::move(loader),
                              {.optim = job.optim,
                               .scheduler = {.lr_scheduler_type = "linear", .warmup_steps = 3, .min_lr_ratio = 0},
                               .total_steps = job.updates,
                               .parallel = {.strategy = cut.strategy},
                               .sync = {.bucket_bytes = 4096, .parts = cut.parts > 0 ? cut.parts / cut.ranks : 1},
                               .batch_norm = job.batch_norm},
                              world, world);
  Learner& learner = *update.learner;
  const auto control = control_of(cut.toy, world.split(0, world.rank()));
  if (cut.caches_activations)
    learner.use_cache(std::make_unique<ActivationCache>(compute_activations(learner, data, world, {.max_tokens = 64})));
  Evaluator evaluator(learner, *held_out, world, {{.max_tokens = 64, .max_samples = 4, .parts = cut.parts}});
  if (cut.caches_activations)
    evaluator.use_cache(
        std::make_unique<ActivationCache>(compute_activations(learner, *held_out, world, {.max_tokens = 64})));
  Checkpoints checkpoints(directory, SaveConfig{}, world, real_files());

  Telemetry telemetry(
      {.lines = {1, job.updates}, .total_steps = job.updates, .sample_ids = true, .flops = {}}, world, [&](int64_t) {
        return std::vector<Sink>{[&](const Event& event) {
          if (event.values.contains("sample_ids")) outcome.ids.push_back(event.values["sample_ids"]);
          if (event.values.contains("grad_norm"))
            outcome.losses.push_back(event.values["loss"]), outcome.norms.push_back(event.values["grad_norm"]);
          if (event.kind != Event::Kind::evaluation) return;
          for (const auto& [name, value] : event.values.items())
            if (name.starts_with("eval_") && name != "eval_runtime" && name != "eval_samples_per_second")
              outcome.evaluation.push_back(value);
        }};
      });
  TrainerSettings settings;
  settings.total_steps = job.updates;
  settings.max_grad_norm = job.max_grad_norm;
  settings.penalty = job.penalty;
  if (job.penalty.l2_from_start > 0) settings.penalty.start = start_of(*update.arena, job.pretrained);
  settings.evaluations = {job.updates, job.updates};
  settings.selection.metric = "loss";
  Trainer({*control, update, *update.schedule, &evaluator, checkpoints, telemetry}, settings).run();

  const auto whole = update.gradients->whole();
  if (world.rank() != 0) return;
  for (const Placed& placed : update.arena->placed())
    if (placed.parameter.value.grad().defined())
      outcome.gradients.emplace_back(placed.parameter.name, numbers_of(placed.parameter.value.grad()));
  for (auto& ids : outcome.ids) std::sort(ids.begin(), ids.end());
  for (const Parameter& parameter : learner.saved())
    outcome.weights.emplace_back(parameter.name, numbers_of(parameter.value));
}

}  // namespace

// Every task on every model.
std::vector<Case> cases() {
  OptimConfig adamw;
  adamw.learning_rate = 3e-3;
  adamw.weight_decay = 0.05;
  adamw.head_lr_multiplier = 3;
  OptimConfig sgd = adamw;
  sgd.optim = "sgd";
  sgd.momentum = 0.9;
  sgd.nesterov = true;
  const WordOrNumbers uneven{"", {{"label0", 4.0}, {"label3", 0.25}}};
  FreezeConfig two_blocks;
  two_blocks.all_but_last = 2;
  FreezeConfig head;
  head.all_but_last = 0;
  std::vector<Case> all;
  const auto enroll = [&](const char* name, const OptimConfig& optim) -> Case& {
    Case& added = all.emplace_back();
    added.name = name;
    added.model = tiny_bert();
    added.optim = optim;
    return added;
  };
  enroll("bert_pooler", adamw);
  Case& weighted = enroll("bert_cls_smoothed_weighted", adamw);
  weighted.pooling = "cls";
  weighted.label_smoothing = 0.1;
  weighted.class_weights = uneven;
  enroll("bert_mean_sgd", sgd).pooling = "mean";
  Case& last_blocks = enroll("bert_last_blocks", adamw);
  last_blocks.class_weights = uneven;
  last_blocks.logit_adjustment = 1.5;
  last_blocks.freeze = two_blocks;
  enroll("bert_head_alone", adamw).freeze = head;
  enroll("bert_two_terms", adamw).two_terms = true;
  Case& own_loss = enroll("bert_plugin", adamw);
  own_loss.has_plugins = true;
  own_loss.loss = "own_loss";
  Case& own_of_tokens = enroll("bert_tokens_plugin", sgd);
  own_of_tokens.task = "token_classification";
  own_of_tokens.has_plugins = true;
  own_of_tokens.loss = "own_loss";
  enroll("roberta", adamw).model = tiny_roberta();
  for (const char* alias : {"xlm-roberta", "camembert"}) {
    Case& added = enroll(alias, adamw);
    added.name = alias[0] == 'x' ? "xlm_roberta" : alias;
    added.model = tiny_roberta();
    added.model["model_type"] = alias;
  }
  Case& roberta_blocks = enroll("roberta_last_blocks_weighted_sgd", sgd);
  roberta_blocks.model = tiny_roberta();
  roberta_blocks.freeze = two_blocks;
  roberta_blocks.class_weights = uneven;
  enroll("distilbert", adamw).model = tiny_distilbert();
  Case& distilbert_head = enroll("distilbert_head_alone_mean", adamw);
  distilbert_head.model = tiny_distilbert();
  distilbert_head.freeze = head;
  distilbert_head.pooling = "mean";
  enroll("modernbert", adamw).model = tiny_modernbert();
  Case& modernbert_mean = enroll("modernbert_last_blocks_mean", adamw);
  modernbert_mean.model = tiny_modernbert();
  modernbert_mean.model["classifier_pooling"] = "mean";
  modernbert_mean.freeze = two_blocks;
  Case& modernbert_tokens = enroll("modernbert_tokens_sgd", sgd);
  modernbert_tokens.model = tiny_modernbert();
  modernbert_tokens.task = "token_classification";
  enroll("electra", adamw).model = tiny_electra();
  enroll("albert", adamw).model = tiny_albert();
  Case& albert_adapters = enroll("albert_adapters", adamw);
  albert_adapters.model = tiny_albert();
  albert_adapters.lora = {.r = 3, .lora_dropout = 0.1, .target_modules = {"query", "value"}};
  enroll("deberta_v2", adamw).model = tiny_deberta_v2();
  Case& deberta_adapters = enroll("deberta_v2_adapters", adamw);
  deberta_adapters.model = tiny_deberta_v2();
  deberta_adapters.lora = {.r = 3, .lora_dropout = 0.1, .target_modules = {"query_proj", "key_proj", "value_proj"}};
  Case& deberta_tokens = enroll("deberta_v2_tokens_last_blocks", adamw);
  deberta_tokens.model = tiny_deberta_v2();
  deberta_tokens.task = "token_classification";
  deberta_tokens.freeze = two_blocks;
  enroll("xlnet", adamw).model = tiny_xlnet();
  Case& xlnet_tokens = enroll("xlnet_tokens_adapters", adamw);
  xlnet_tokens.model = tiny_xlnet();
  xlnet_tokens.task = "token_classification";
  xlnet_tokens.lora = {.r = 3, .lora_dropout = 0.1, .target_modules = {"layer_1", "layer_2"}};
  Case& focal = enroll("bert_focal_balanced_penalised", adamw);
  focal.loss = "focal";
  focal.sampling = "balanced";
  focal.penalty = {1e-3, 2e-3};
  focal.freeze.freeze = {"self.key.bias$"};  // their gradient is zero but for rounding, of which L1 takes the sign
  for (const auto& [name, loss] : {std::pair{"bert_gce_weighted", "gce"},
                                   {"bert_sce_weighted", "sce"},
                                   {"bert_bootstrap_weighted", "bootstrap"}}) {
    Case& robust = enroll(name, adamw);
    robust.loss = loss;
    robust.class_weights = uneven;
  }
  Case& kept = enroll("bert_kept_near_its_start", adamw);
  kept.penalty.l2_from_start = 2e-3;
  kept.pretrained = {"bert.encoder.layer.0.intermediate.dense.weight", "bert.embeddings.word_embeddings.weight"};
  Case& drawn = enroll("bert_drawn_by_weight", adamw);
  drawn.sampling = "weighted";
  drawn.class_weights = uneven;
  Case& sets = enroll("bert_multi_label", adamw);
  sets.problem_type = kLabelSet;
  sets.label_smoothing = 0.1;
  sets.pos_weight = uneven;
  sets.logit_adjustment = 0.5;
  Case& taught = enroll("bert_distributions_teacher_weighted", adamw);
  taught.has_teacher = true;
  taught.distill_weight = 0.4;
  taught.label_smoothing = 0.1;
  taught.class_weights = uneven;
  Case& numbers = enroll("bert_regression", adamw);
  numbers.problem_type = kRealNumbers;
  numbers.num_labels = 2;
  numbers.loss = "huber";
  const auto enroll_images = [&](const char* name, BatchNormMode mode) -> Case& {
    Case& added = enroll(name, sgd);
    added.task = "image_classification";
    added.model = tiny_resnet();
    added.batch_norm = mode;
    return added;
  };
  enroll_images("resnet_frozen_norms", BatchNormMode::frozen);
  enroll_images("resnet_head_alone", BatchNormMode::synchronized).freeze = head;
  enroll_images("resnet_one_big_batch", BatchNormMode::synchronized).micro_batches_are_free = false;
  for (const auto& [name, mode] :
       {std::pair{"keras_frozen_norms", BatchNormMode::frozen}, {"keras_one_big_batch", BatchNormMode::synchronized}}) {
    Case& graph = enroll_images(name, mode);
    graph.model = tiny_keras();
    graph.micro_batches_are_free = mode == BatchNormMode::frozen;
  }
  const auto enroll_patches = [&](const char* name, nlohmann::json model) -> Case& {
    Case& added = enroll(name, adamw);
    added.task = "image_classification";
    added.model = std::move(model);
    return added;
  };
  enroll_images("vgg_frozen_norms", BatchNormMode::frozen).model = tiny_vgg(true);
  enroll_images("vgg", BatchNormMode::local).model = tiny_vgg(false);
  nlohmann::json small = tiny_vit();
  small["image_size"] = 8;
  enroll_patches("vit_random_resized_crops", small).cropped_to = 8;
  enroll_patches("vit", tiny_vit());
  enroll_patches("vit_adapters", tiny_vit()).lora = {.r = 3, .lora_dropout = 0.1, .target_modules = {"query", "value"}};
  enroll_patches("dinov2_last_blocks", tiny_dinov2()).freeze = two_blocks;
  const auto enroll_masks = [&](const char* name, BatchNormMode mode) -> Case& {
    Case& added = enroll_images(name, mode);
    added.optim = adamw;
    added.task = "semantic_segmentation";
    added.model = tiny_segformer();
    added.micro_batches_are_free = mode == BatchNormMode::frozen;
    return added;
  };
  enroll_masks("segformer_scaled_windows", BatchNormMode::frozen).scaled_to = 16;
  Case& one_batch = enroll_masks("segformer_one_big_batch", BatchNormMode::synchronized);
  one_batch.class_weights = uneven;
  one_batch.label_smoothing = 0.1;
  // The norm takes what they add to a channel away again: their gradient is zero but for rounding.
  one_batch.freeze.freeze = {"linear_c.*bias$", "encoder.layer_norm.1.bias$"};
  const auto enroll_boxes = [&](const char* name, const OptimConfig& optim) -> Case& {
    Case& added = enroll_patches(name, tiny_yolos());
    added.optim = optim;
    added.task = "object_detection";
    added.num_labels = 3;
    return added;
  };
  enroll_boxes("yolos", adamw);
  Case& yolos_blocks = enroll_boxes("yolos_last_blocks_sgd", sgd);
  yolos_blocks.freeze = two_blocks;
  yolos_blocks.model["use_mid_position_embeddings"] = false;
  Case& tokens = enroll("bert_tokens", adamw);
  tokens.task = "token_classification";
  Case& weighted_tokens = enroll("bert_tokens_smoothed_weighted_sgd", sgd);
  weighted_tokens.task = tokens.task;
  weighted_tokens.label_smoothing = 0.1;
  weighted_tokens.class_weights = {"", {{"O", 0.25}, {"B-A", 4.0}}};
  // Rows of q differ from those of k and v in the last block, and the first block has no gradient of x to hand down.
  Case& adapters = enroll("bert_adapters_all_linear", adamw);
  adapters.lora = {.r = 3, .lora_alpha = 6, .lora_dropout = 0.2, .target_modules = {"all-linear"}};
  Case& upper_adapters = enroll("distilbert_adapters_of_upper_blocks", adamw);
  upper_adapters.model = tiny_distilbert();
  upper_adapters.lora = {.r = 2, .target_modules = {"layer.1.attention.q_lin", "layer.2.ffn.lin2"}, .use_rslora = true};
  const auto enroll_questions = [&](const char* name, const OptimConfig& optim, nlohmann::json model) {
    Case& added = enroll(name, optim);
    added.task = "question_answering";
    added.num_labels = 0;
    added.model = std::move(model);
    added.model["sft_dist_null_answers"] = true;
    // What adds the same to all tokens' scores: its gradient is zero but for rounding.
    added.freeze.freeze = {"qa_outputs.bias$", "layer.2.output.*orm.bias$"};
  };
  enroll_questions("bert_questions", adamw, tiny_bert());
  enroll_questions("distilbert_questions_sgd", sgd, tiny_distilbert());
  Case& modernbert_questions = enroll("modernbert_questions", adamw);
  modernbert_questions.task = "question_answering";
  modernbert_questions.num_labels = 0;
  modernbert_questions.model = tiny_modernbert();
  modernbert_questions.model["sft_dist_null_answers"] = true;
  modernbert_questions.freeze.freeze = {"^classifier.bias$"};
  const auto enroll_completions = [&](const char* name, const OptimConfig& optim, nlohmann::json model) -> Case& {
    Case& added = enroll(name, optim);
    added.task = "causal_lm";
    added.num_labels = 0;
    added.model = std::move(model);
    return added;
  };
  enroll_completions("llama_tied", adamw, tiny_llama("llama"));
  nlohmann::json untied = tiny_llama("qwen3");
  untied["tie_word_embeddings"] = false;
  enroll_completions("qwen3_untied_smoothed_sgd", sgd, untied).label_smoothing = 0.1;
  enroll_completions("gpt2_last_block", adamw, tiny_gpt2()).freeze.all_but_last = 1;
  nlohmann::json windowed = tiny_llama("mistral");
  windowed["sliding_window"] = 5;
  enroll_completions("mistral_adapters", adamw, windowed).lora = {.r = 3, .lora_dropout = 0.1};
  enroll("qwen2_classifier", adamw).model = tiny_llama("qwen2");
  const auto enroll_pairs = [&](const char* name, const OptimConfig& optim, nlohmann::json model) -> Case& {
    Case& added = enroll(name, optim);
    added.task = "seq2seq_lm";
    added.num_labels = 0;
    added.model = std::move(model);
    return added;
  };
  enroll_pairs("t5", adamw, tiny_t5("t5"));
  enroll_pairs("mt5_smoothed_sgd", sgd, tiny_t5("mt5")).label_smoothing = 0.1;
  enroll_pairs("t5_frozen_encoder", adamw, tiny_t5("t5")).freeze.freeze = {"^encoder", "^shared"};
  enroll_pairs("t5_adapters", adamw, tiny_t5("t5")).lora = {.r = 3, .lora_dropout = 0.1, .target_modules = {"q", "v"}};
  enroll_pairs("marian", adamw, tiny_marian());
  nlohmann::json apart = tiny_marian();
  apart["share_encoder_decoder_embeddings"] = false;
  enroll_pairs("marian_two_tables_last_blocks", adamw, apart).freeze = two_blocks;
  nlohmann::json bart = tiny_marian();
  bart["model_type"] = "bart";
  enroll_pairs("bart", adamw, bart);
  return all;
}

Outcome run(const Case& job, const Cut& cut) {
  const Scratch scratch;
  Outcome outcome;
  std::mutex joining;
  spawn_ranks(cut.ranks, [&](Communicator& world) {
    Outcome mine;
    train(job, cut, world, scratch.path.string(), mine);
    const std::lock_guard lock(joining);
    const int64_t excess = std::max(outcome.excess, mine.excess);
    if (world.rank() == 0) outcome = std::move(mine);
    outcome.excess = excess;
  });
  return outcome;
}

double worst(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
    most = std::max(most, std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i])));
  }
  return most;
}

}  // namespace sft::equivalence
