// What models on packed rows share, of texts and of pictures' patches, whatever their blocks are: the list of
// parameters, layers that adapters find and that have copies in the type of the products, and dropout's keys.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/models/blocks/dropout_key.h"
#include "trainer/models/blocks/narrow_weights.h"
#include "trainer/models/blocks/parameter_builder.h"
#include "trainer/models/model.h"

namespace sft {

class TextNetwork : public Model {
 public:
  Parameters parameters() const override { return parameters_; }
  std::vector<NamedLinear> linears() override;
  at::Tensor features(const at::Tensor& x) const override;
  void follow_weights() override { narrow_.follow(); }
  bool copies_weights() const override { return narrow_.read_parameters(); }
  bool has_pooler() const override { return false; }
  at::Tensor pool(const at::Tensor& first_BC, const RowKeys& keys) override;
  const nlohmann::json& config() const override { return content_; }

 protected:
  TextNetwork(nlohmann::json content, const ModelSettings& settings);

  // Adds behind the parameters that are there.
  ParameterBuilder builder(const std::string& prefix, double deviation);
  // Lists a layer of a block, which stays where it is and whose parameters are made; its products are narrow where the
  // settings say so.
  void add_layer(Linear& layer);
  // The same without listing it: of a matrix that is no module of transformers', which PEFT has no adapters for.
  void add_matrix(Linear& layer);
  Dropout dropout(Mode mode, int stage, const char* place, double p) const;
  const at::TensorOptions& options() const { return options_; }  // of parameters
  at::ScalarType flow_type() const { return flow_type_; }        // of what flows from block to block

 private:
  nlohmann::json content_;
  at::TensorOptions options_;
  std::optional<at::ScalarType> compute_type_;
  at::ScalarType flow_type_;
  InitialSeed seed_;
  uint64_t dropout_seed_;
  NarrowWeights narrow_;
  std::vector<Linear*> layers_;  // in forward order
  Parameters parameters_;
};

}  // namespace sft
