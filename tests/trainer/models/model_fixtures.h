// Small models and batches, and comparisons, for the tests of models.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/models/model.h"

namespace sft::testing {

// A config.json of the family with 3 blocks, widths that fill no vector register, dropout on, 40 positions of text.
nlohmann::json small_config(const std::string& model_type);

std::unique_ptr<Model> small_model(const std::string& model_type, at::ScalarType dtype = at::kDouble,
                                   uint64_t dropout_seed = 0);

// A small model of the family with another value in its config.json is refused, in words that hold `part`.
void expect_refused(const std::string& model_type, const char* key, const nlohmann::json& value,
                    const std::string& part);

// Sequences of the given lengths with fixed pseudo-random tokens and segments; sequence b has draw 1000 + 7 b.
Batch batch_of(const std::vector<int64_t>& lengths);

// Sequence b alone.
Batch only(const Batch& batch, int64_t b);

// All stages, each of them trained.
// Of Reads::with_target: the rows of each sequence behind its first third, so that a sequence of one row has none.
Reading reading_of(Reads reads, const Batch& batch);

at::Tensor forward(Model& model, const Inputs& inputs, Mode mode = Mode::training);

// ‖a − b‖ / ‖b‖ (absolute where b is zero)
double distance(const at::Tensor& a, const at::Tensor& b);

// A tensor of normal values from a seed.
at::Tensor drawn(at::IntArrayRef shape, uint64_t seed, at::ScalarType dtype = at::kDouble);

// The same, of which gradients are asked.
at::Tensor leaf(at::IntArrayRef shape, uint64_t seed, at::ScalarType dtype = at::kDouble);

// The parameters of a model by their names.
std::map<std::string, Parameter> by_name(const Model& model);

// Compares autograd's gradient of f (a scalar) with central differences along random directions, in float64.
void expect_derivative(const std::function<at::Tensor()>& f, const std::vector<at::Tensor>& leaves,
                       double tolerance = 1e-7);

}  // namespace sft::testing
