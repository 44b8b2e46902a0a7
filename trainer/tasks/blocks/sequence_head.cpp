#include "trainer/tasks/blocks/sequence_head.h"

#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace sft {
namespace {

// A class with a hidden layer of its own does not look at the pooler.
Pooling usual_pooling(const Model& model, const HeadShape& shape) {
  if (shape.reads == Reads::all) return Pooling::mean;
  return model.has_pooler() && shape.hidden.empty() ? Pooling::pooler : Pooling::cls;
}

Pooling pooling_of(const std::string& name, const Model& model, Pooling usual) {
  if (name == "pooler" && !model.has_pooler())
    throw ConfigError("model.pooling = \"pooler\": this model has no pooler");
  if (name == "pooler") return Pooling::pooler;
  if (name == "mean") return Pooling::mean;
  return name == "cls" ? Pooling::cls : usual;
}

const char* name_of(Pooling pooling) {
  switch (pooling) {
    case Pooling::cls:
      return "cls";
    case Pooling::mean:
      return "mean";
    case Pooling::pooler:
      break;
  }
  return "pooler";
}

// [N, C] → [B, C]: the mean over each sequence's rows, special tokens included.
at::Tensor mean_of_rows(const at::Tensor& rows_NC, const TextInputs& inputs) {
  std::vector<int64_t> lengths;
  for (size_t b = 0; b + 1 < inputs.host_offsets.size(); ++b)
    lengths.push_back(inputs.host_offsets[b + 1] - inputs.host_offsets[b]);
  std::vector<at::Tensor> means = rows_NC.split_with_sizes(lengths);
  for (at::Tensor& mean : means) mean = mean.mean(0);
  return at::stack(means);
}

}  // namespace

SequenceHead::SequenceHead(const TaskSettings& settings, const Model& model, int64_t num_outputs)
    : shape_(model.sequence_head()),
      usual_(usual_pooling(model, shape_)),
      pooling_(pooling_of(settings.pooling, model, usual_)),
      layers_(shape_, num_outputs, model, settings) {}

Reads SequenceHead::reads() const {
  if (pooling_ == Pooling::mean) return Reads::all;
  return shape_.reads == Reads::all ? Reads::first : shape_.reads;
}

at::Tensor SequenceHead::logits(Model& model, const at::Tensor& features, const Inputs& inputs, Mode mode) const {
  const at::Tensor& draws_B = draws_of(inputs);
  const at::Tensor positions_B = at::zeros_like(draws_B);
  at::Tensor x_BC = pooling_ == Pooling::mean ? mean_of_rows(features, text_of(inputs)) : features;
  if (pooling_ == Pooling::pooler) x_BC = model.pool(x_BC, row_keys(mode, draws_B, positions_B));
  return layers_.logits(x_BC, draws_B, positions_B, mode);
}

void SequenceHead::describe(nlohmann::json& config) const {
  config.erase("sft_dist_pooling");  // of the model that training started from
  if (!shape_.pooling_key.empty())
    config[shape_.pooling_key] = name_of(pooling_);
  else if (pooling_ != usual_)
    config["sft_dist_pooling"] = name_of(pooling_);
}

}  // namespace sft
