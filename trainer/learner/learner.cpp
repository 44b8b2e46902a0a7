#include "trainer/learner/learner.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "trainer/models/blocks/sent.h"

namespace sft {

Parameters all_parameters(const Model& model, const Task& task, const LowRankAdapters& adapters) {
  Parameters all = model.parameters();
  if (!task.keeps_pooler())
    std::erase_if(all, [&](const Parameter& parameter) { return parameter.stage == model.pooler_stage(); });
  for (Parameter& parameter : task.parameters()) all.push_back(std::move(parameter));
  if (adapters.empty()) return all;
  for (Parameter& parameter : adapters.parameters()) all.push_back(std::move(parameter));
  std::ranges::stable_sort(all, {}, &Parameter::stage);
  return all;
}

namespace {

Parameters chosen(const Parameters& all, const std::vector<bool>& which) {
  Parameters some;
  for (size_t i = 0; i < all.size(); ++i)
    if (which[i]) some.push_back(all[i]);
  return some;
}

}  // namespace

std::vector<bool> trained_beside_adapters(const Model& model, const Task& task, const LowRankAdapters& adapters) {
  std::set<std::string> names;
  for (const Parameter& parameter : adapters.parameters()) names.insert(parameter.name);
  if (!task.head_is_pretrained())
    for (const Parameter& parameter : task.parameters()) names.insert(parameter.name);
  std::vector<bool> trained;
  for (const Parameter& parameter : all_parameters(model, task, adapters))
    trained.push_back(names.contains(parameter.name));
  return trained;
}

std::vector<bool> trained_parameters(const FreezeConfig& freeze, const Model& model, const Task& task,
                                     const LowRankAdapters& adapters) {
  if (!adapters.empty()) {
    refuse_beside_adapters(freeze);
    return trained_beside_adapters(model, task, adapters);
  }
  const Parameters all = all_parameters(model, task);
  std::vector<bool> trained = choose_trained(freeze, all, model.num_blocks(), model.blocks_sharing_weights());
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].stage == model.pooler_stage() && !task.reads_pooler()) trained[i] = false;
  return trained;
}

Parameters all_saved(const Model& model, const Task& task) {
  Parameters all = all_parameters(model, task);
  for (Parameter& buffer : model.buffers()) all.push_back(std::move(buffer));
  return all;
}

Learner::Learner(std::unique_ptr<Model> model, std::unique_ptr<Task> task, std::vector<bool> trained,
                 const LearnerSettings& settings, LowRankAdapters adapters, FromFiles from_files)
    : model_(std::move(model)),
      task_(std::move(task)),
      adapters_(std::move(adapters)),
      from_files_(std::move(from_files)),
      trained_(std::move(trained)),
      stages_(*model_, freeze(settings)),
      device_(settings.device) {}

// Parameters that do not train ask for no gradient; the stages follow.
StageRule Learner::freeze(const LearnerSettings& settings) const {
  const Parameters all = parameters();
  assert(all.size() == trained_.size());
  const int num_stages = model_->num_stages();
  StageRule rule{std::vector<bool>(static_cast<size_t>(num_stages), false), num_stages, settings.recomputes};
  for (size_t i = 0; i < all.size(); ++i) {
    at::Tensor value = all[i].value;
    value.set_requires_grad(trained_[i]);
    if (!trained_[i]) continue;
    rule.first_trained = std::min(rule.first_trained, all[i].stage);
    const int first = all[i].stage, sharing = first >= 1 ? model_->blocks_sharing_weights() : 1;
    for (int s = first; s < std::min(first + sharing, num_stages); ++s) rule.trains[static_cast<size_t>(s)] = true;
  }
  return rule;
}

at::Tensor Learner::loss_sum(const Batch& batch, const Weights& total) {
  const Inputs inputs = this->inputs(batch);
  if (const auto* text = std::get_if<TextInputs>(&inputs); text != nullptr && text->read) {
    tokens_seen_ += static_cast<double>(text->host_offsets.back());
    targets_seen_ += static_cast<double>(text->read->offsets.back());
  }
  if (const auto* pair = std::get_if<PairInputs>(&inputs)) {
    tokens_seen_ += static_cast<double>(pair->source.host_offsets.back() + pair->target.host_offsets.back());
    targets_seen_ += static_cast<double>(pair->target.host_offsets.back());
  }
  const at::Tensor features = forward(batch, inputs, cache_.get(), Mode::training);
  if (watch_ != nullptr)
    for (const int on_top : {model_->pooler_stage(), model_->head_stage()}) watch_->before(on_top);
  return task_->loss_sum(*model_, features, inputs, batch, total);
}

void Learner::observe(const Batch& batch, const Asked& asked, const ActivationCache* cache) {
  const at::NoGradGuard no_graph;
  const Inputs inputs = this->inputs(batch);
  task_->observe(*model_, forward(batch, inputs, cache, Mode::evaluation), inputs, batch, asked);
}

at::Tensor Learner::frozen_activations(const Batch& batch) {
  return stages_.frozen_activations(inputs(batch), Mode::evaluation).cpu();
}

// The rows that are read are alone behind the last stage.
std::vector<int64_t> Learner::frozen_offsets(const Batch& batch) const {
  const Inputs inputs = to_device(batch, at::kCPU, reading(batch));
  if (const auto* pair = std::get_if<PairInputs>(&inputs)) return pair->source.host_offsets;
  if (const auto* text = std::get_if<TextInputs>(&inputs))
    return text->read && first_trained() >= model_->num_stages() ? text->read->offsets : text->host_offsets;
  std::vector<int64_t> one_each(static_cast<size_t>(batch.size()) + 1);
  std::iota(one_each.begin(), one_each.end(), 0);
  return one_each;
}

Inputs Learner::inputs(const Batch& batch) const { return to_device(batch, device_, reading(batch)); }

Reading Learner::reading(const Batch& batch) const {
  return {task_->reads(), task_->target_rows(batch), task_->fed_tokens(batch)};
}

at::Tensor Learner::forward(const Batch& batch, const Inputs& inputs, const ActivationCache* cache, Mode mode) {
  const at::Tensor x = cache ? sent(cache->of(batch), device_) : stages_.frozen_activations(inputs, mode);
  return stages_.trained_part(x, inputs, mode);
}

int64_t Learner::rows_read(int64_t tokens, int64_t samples) const {
  switch (task_->reads()) {
    case Reads::first:
    case Reads::last:
      return samples;
    case Reads::all:
    case Reads::with_target:
      break;
  }
  return tokens_seen_ > 0 ? std::llround(static_cast<double>(tokens) * targets_seen_ / tokens_seen_) : tokens;
}

Parameters Learner::parameters() const { return all_parameters(*model_, *task_, adapters_); }

Needs Learner::needs() const {
  Needs all = model_->needs();
  const Needs targets = task_->needs();
  all.insert(all.end(), targets.begin(), targets.end());
  return all;
}

Parameters Learner::saved() const {
  if (adapters_.empty()) return all_saved(*model_, *task_);
  return chosen(parameters(), trained_beside_adapters(*model_, *task_, adapters_));
}

Parameters Learner::restored() const {
  Parameters all = saved();
  std::erase_if(all, [&](const Parameter& one) { return from_files_.held.contains(one.name); });
  return all;
}

Parameters Learner::of_base() const {
  std::set<std::string> elsewhere;
  for (const Parameter& parameter : restored()) elsewhere.insert(parameter.name);
  Parameters all = parameters();
  std::erase_if(all, [&](const Parameter& one) { return elsewhere.contains(one.name); });
  return all;
}

void Learner::require_base_unchanged() const {
  if (from_files_.files) from_files_.files->require_unchanged();
}

ExportedTensors Learner::whole() const {
  std::map<std::string, std::shared_ptr<const LowRank>> low_rank;
  for (const AdaptedLayer& adapted : adapters_.layers) low_rank[adapted.layer.name + ".weight"] = adapted.low_rank;
  ExportedTensors all;
  for (const Parameter& parameter : all_saved(*model_, *task_)) {
    ExportedTensor tensor = exported(parameter);
    if (const auto found = low_rank.find(parameter.name); found != low_rank.end())
      tensor.value = [parameter, adapter = found->second] {
        Parameter sum = parameter;
        sum.value = merged(parameter.value, *adapter);
        return sum.in_files();
      };
    if (const auto found = from_files_.types.find(parameter.name); found != from_files_.types.end())
      tensor.type = found->second;
    all.push_back(std::move(tensor));
  }
  return all;
}

Parameters Learner::trained() const { return chosen(parameters(), trained_); }

}  // namespace sft
