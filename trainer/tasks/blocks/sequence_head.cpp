#include "trainer/tasks/blocks/sequence_head.h"

#include <ATen/ops/linear.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/tasks/blocks/head_layer.h"

namespace sft {
namespace {

// A class with a hidden layer of its own does not look at the pooler.
Pooling usual_pooling(const Model& model, const HeadShape& shape) {
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
      input_key_(dropout_key(settings.dropout_seed, "head.input")),
      key_(dropout_key(settings.dropout_seed, "head")) {
  if (!shape_.hidden.empty()) hidden_ = head_layer(shape_.hidden, model.width(), model, settings, parameters_);
  if (!shape_.output.empty())
    output_ = output_layer(shape_, num_outputs, model, settings, parameters_);
  else if (model.width() != num_outputs)
    throw ConfigError(concat("the model's own output layer has ", model.width(), " classes, and the data has ",
                             num_outputs, "; give it a new one: model.config = { output_layer = \"new\" }"));
}

at::Tensor SequenceHead::logits(Model& model, const at::Tensor& features, const Inputs& inputs, Mode mode) const {
  const bool trains = mode == Mode::training;
  const at::Tensor& draws_B = draws_of(inputs);
  at::Tensor x_BC = pooling_ == Pooling::mean ? mean_of_rows(features, text_of(inputs)) : features;
  if (pooling_ == Pooling::pooler) x_BC = model.pool(x_BC, row_keys(mode, draws_B, at::zeros_like(draws_B)));
  if (!shape_.hidden.empty()) {
    x_BC = dropped(x_BC, input_key_, draws_B, trains ? shape_.input_dropout : 0.0);
    x_BC = activate(shape_.activation, at::linear(x_BC, hidden_.weight), hidden_.bias);
  }
  if (!output_.weight.defined()) return x_BC;
  return at::linear(dropped(x_BC, key_, draws_B, trains ? shape_.dropout : 0.0), output_.weight, output_.bias);
}

at::Tensor SequenceHead::dropped(const at::Tensor& x_BC, const DropoutKey& key, const at::Tensor& draws_B,
                                 double p) const {
  return keyed_dropout(x_BC, key, draws_B, at::zeros_like(draws_B), p);
}

void SequenceHead::describe(nlohmann::json& config) const {
  if (pooling_ != usual_) config["sft_dist_pooling"] = name_of(pooling_);
}

}  // namespace sft
