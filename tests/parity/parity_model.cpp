// Runs one model, as a backbone or under a task's head, on batches for a Python script to compare.
//
//   parity_model DIR
//
// DIR/case.json: config; dtype; read ("all": every row of the backbone; else the logits of task and pooling);
// num_labels; tensors, the order of weights.bin as [name, size]; batches, each with tokens and segments (a list a
// sequence) and labels (one a sequence, or a list of one a token), or with tokens and targets (a list a sequence each);
// final_logits_bias, where the model has one, a number a word; updates, learning_rate, warmup_steps, weight_decay,
// max_grad_norm; lora, where there are adapters: r, lora_alpha, target_modules, use_rslora. Little-endian values of
// `dtype` throughout.
//
// Writes DIR/out.bin. Without updates: the loss on the first batch, what was read, then the gradient of each tensor in
// the same order. With updates: the loss of each, one batch an update in turns.
#include <ATen/ATen.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "comm/placement.h"
#include "comm/solo/solo.h"
#include "parity/exchange.h"
#include "tests/support/texts.h"
#include "trainer/adapters/target_modules.h"
#include "trainer/learner/stages.h"
#include "trainer/loop/update.h"
#include "trainer/tasks/seq2seq_lm/rows/columns.h"
#include "trainer/tasks/tasks.h"

namespace {

using nlohmann::json;
using sft::parity::write_gradients;
using sft::parity::write_values;

sft::Batch pairs_of(const json& given) {
  const sft::Schema schema = sft::seq2seq::sample_schema(0, 0);
  sft::Batch batch(schema);
  sft::Sample sample(schema);
  for (size_t b = 0; b < given["tokens"].size(); ++b) {
    sample.cells[0].set(given["tokens"][b].get<std::vector<int32_t>>());
    sample.cells[1].set(given["targets"][b].get<std::vector<int32_t>>());
    batch.ids.push_back(batch.size());
    batch.draws.push_back(batch.size());
    batch.append(sample);
  }
  return batch;
}

// Labels stand one a text, or one a token.
sft::Batch batch_of(const json& given) {
  if (given.contains("targets")) return pairs_of(given);
  std::vector<sft::Text> texts;
  bool by_token = false;
  for (size_t b = 0; b < given["tokens"].size(); ++b) {
    const json& label = given["labels"][b];
    by_token = label.is_array();
    texts.push_back({.tokens = given["tokens"][b].get<std::vector<int32_t>>(),
                     .segments = given["segments"][b].get<std::vector<uint8_t>>(),
                     .label = by_token ? 0 : label.get<int64_t>(),
                     .token_labels = by_token ? label.get<std::vector<int32_t>>() : std::vector<int32_t>{}});
  }
  const sft::Column target = by_token ? sft::token_labels_column(0) : sft::label_column(0);
  return sft::batch_of(sft::text_schema(target, 0, /*segments=*/true), texts);
}

sft::LowRankAdapters adapters_of(const json& lora, at::ScalarType dtype, sft::Model& model) {
  const sft::LoraConfig config{.r = lora["r"],
                               .lora_alpha = lora["lora_alpha"],
                               .target_modules = lora["target_modules"],
                               .use_rslora = lora["use_rslora"]};
  return sft::put_adapters(sft::find_targets(config.target_modules, model.linears()), config, dtype, 0, 0);
}

std::unique_ptr<sft::Learner> learner_of(const json& test) {
  const at::ScalarType dtype = sft::parity::dtype_of(test);
  std::vector<std::string> names, tensors;
  for (const json& tensor : test["tensors"]) tensors.push_back(tensor[0]);
  auto model = sft::make_model(test["config"], {.dtype = dtype, .seed = 0, .file_names = tensors});
  if (test.contains("final_logits_bias"))
    model->output_bias().copy_(at::tensor(test["final_logits_bias"].get<std::vector<double>>()));
  for (int64_t i = 0; i < test["num_labels"]; ++i) names.push_back("label" + std::to_string(i));
  auto task = sft::make_task(test["read"] == "all" ? "text_classification" : test["task"].get<std::string>(),
                             {.pooling = test["pooling"], .labels = {.names = names}, .dtype = dtype}, *model);
  sft::LowRankAdapters adapters;
  std::vector<bool> trained(sft::all_parameters(*model, *task).size(), true);
  if (test.contains("lora")) {
    adapters = adapters_of(test["lora"], dtype, *model);
    trained = sft::trained_parameters({}, *model, *task, adapters);
  }
  return std::make_unique<sft::Learner>(std::move(model), std::move(task), trained, sft::LearnerSettings{}, adapters);
}

void write_one_pass(const json& test, sft::Learner& learner, const sft::parity::Leaves& leaves, std::ostream& out) {
  const sft::Batch batch = batch_of(test["batches"][0]);
  at::Tensor loss, seen;
  if (test["read"] == "all") {
    sft::Stages stages(learner.model());
    seen = stages.forward(sft::to_device(batch, at::kCPU), sft::Mode::evaluation);
    loss = (seen - at::arange(seen.numel(), seen.options()).view(seen.sizes()).sin()).pow(2).mean();
  } else {
    loss = sft::parity::mean_loss(learner, batch);
    seen = sft::parity::logits_of(learner, batch);
  }
  loss.backward();
  write_values(out, loss);
  write_values(out, seen);
  write_gradients(out, test, leaves);
}

void write_losses(const json& test, std::unique_ptr<sft::Learner> learner, std::ostream& out) {
  const auto world = sft::solo::connect({});
  sft::UpdateSettings settings;
  settings.optim.learning_rate = test["learning_rate"];
  settings.optim.weight_decay = test["weight_decay"];
  settings.scheduler = {.lr_scheduler_type = "linear", .warmup_steps = test["warmup_steps"], .min_lr_ratio = 0};
  settings.total_steps = test["updates"];
  const sft::Update update = sft::make_update(std::move(learner), nullptr, settings, *world, *world);
  for (int64_t step = 0; step < settings.total_steps; ++step) {
    const json& batches = test["batches"];
    const sft::Batch batch = batch_of(batches[static_cast<size_t>(step) % batches.size()]);
    update.arena->zero_gradients();
    const at::Tensor loss = sft::parity::mean_loss(*update.learner, batch);
    loss.backward();
    update.gradients->reduce();
    update.gradients->clip(test["max_grad_norm"]);
    update.optimizer->step(update.schedule->rate(step));
    update.gradients->publish();
    write_values(out, loss);
  }
}

void run(const std::string& directory) {
  const json test = sft::parity::case_in(directory);
  std::ofstream out(directory + "/out.bin", std::ios::binary);
  std::unique_ptr<sft::Learner> learner = learner_of(test);
  const auto leaves = sft::parity::filled(*learner, test, directory);
  if (test["updates"] == 0) {
    write_one_pass(test, *learner, leaves, out);
  } else {
    write_losses(test, std::move(learner), out);
  }
}

}  // namespace

int main(int count, char** arguments) { return sft::parity::main_of("parity_model", count, arguments, run); }
