// A Keras model: the graph that its file describes, on pictures. A layer of the graph is a stage, in the order of
// model.layers, so that freeze.all_but_last = n leaves the new output layer and the n layers before it to train, as
// layers[:-(n + 1)] does; layers without weights count. Of layers between which several tensors are alive, as inside a
// residual block, all run in the stage of the one that joins them.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/models/keras/model_plan.h"
#include "trainer/models/model.h"

namespace sft {

class Keras : public Model {
 public:
  Keras(nlohmann::json content, const ModelSettings& settings);

  int num_blocks() const override { return static_cast<int>(plan_.network->size()); }
  int64_t width() const override { return plan_.width(); }

  Parameters parameters() const override { return parameters_; }
  Parameters buffers() const override { return buffers_; }
  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override;
  at::Tensor features(const at::Tensor& x) const override { return x; }
  bool has_batch_norms() const override;
  bool has_pooler() const override { return false; }
  at::Tensor pool(const at::Tensor& first_BC, const RowKeys&) override { return first_BC; }

  bool runs_stage_by_stage() const override { return plan_.network->is_chain(); }
  bool trains_with_those_below(int /*stage*/) const override { return true; }
  std::vector<std::string> stage_names() const override;
  bool moves_where_frozen(int /*stage*/) const override {
    return !rule_.still_where_frozen && rule_.mode != BatchNormMode::frozen;
  }

  HeadShape sequence_head() const override;
  double initializer_range() const override { return 0.05; }
  const nlohmann::json& config() const override { return content_; }
  double flops(int64_t images, int64_t read) const override;
  std::string architecture(const std::string& class_ending) const override;
  std::string prefix() const override { return ""; }
  std::string canonical(const std::string& file_name) const override { return file_name; }

 private:
  void make_variables(const ModelSettings& settings);
  at::Tensor pixels(const ImageInputs& inputs) const;

  nlohmann::json content_;
  keras::ModelPlan plan_;
  Parameters parameters_, buffers_;
  at::TensorOptions options_;
  at::Tensor offset_, scale_;  // of pixels [1, C, 1, 1]
  BatchNormRule rule_;
  std::vector<double> flops_;  // of each stage on the last pictures that it saw
};

std::unique_ptr<Model> make_keras(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
