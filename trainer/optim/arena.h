// Trained parameters, their gradients and moments, each in one flat buffer. Laid out in reverse forward
// order, so that gradients become ready from the front to the back; every parameter starts on a 64-byte
// border. `set_data` makes the model's own tensors views of the buffer, and presets .grad to views.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/models/parameter.h"

namespace sft {

// What a run of parameters shares: its decay and its learning rate's multiplier.
struct ParameterGroup {
  double weight_decay = 0.0;
  double lr_multiplier = 1.0;

  bool operator==(const ParameterGroup&) const = default;
};

struct Placed {
  Parameter parameter;
  int64_t offset = 0;  // in elements, from the start of the arena
  int64_t size = 0;
  int group = 0;
};

// A run of one group: what an optimizer updates.
struct Slice {
  int64_t offset = 0;
  int64_t size = 0;
  int group = 0;
};

// Runs of the arena that have memory, in one flat buffer, run after run.
class KeptRuns {
 public:
  KeptRuns() = default;
  KeptRuns(const std::vector<Slice>& runs, const at::TensorOptions& options);  // zeros; ascending, without overlap

  const at::Tensor& flat() const { return flat_; }
  at::Tensor at(int64_t offset, int64_t size) const;  // of a run that is kept, by its place in the arena

 private:
  struct Run {
    int64_t offset, size;
    int64_t place;  // in flat_
  };
  std::vector<Run> runs_;  // neighbours are one
  at::Tensor flat_;
};

class Arena {
 public:
  // `trained` in forward order with the group of each; every tensor of one dtype and device, none twice.
  Arena(const Parameters& trained, const std::vector<int>& groups);

  const std::vector<Placed>& placed() const { return placed_; }  // in arena order
  at::Tensor values() const { return values_.flat(); }           // flat [size], or of what is kept, run after run
  at::Tensor gradients() const { return gradients_.flat(); }     // likewise
  at::Tensor value(int64_t offset, int64_t size) const { return values_.at(offset, size); }  // of a run that is kept
  at::Tensor gradient(int64_t offset, int64_t size) const { return gradients_.at(offset, size); }
  int64_t size() const { return size_; }                         // elements, padding included
  int64_t num_parameters() const { return num_parameters_; }     // without padding
  std::vector<Slice> slices() const;                             // all of it, neighbours of a group merged
  void zero_gradients();

  // From now on only the gradients of these runs have memory, in ascending order, and no parameter has a .grad between
  // its own backward passes: whoever calls this takes each as it comes.
  void keep_gradients_of(const std::vector<Slice>& runs);

  // From now on only the values of these runs have memory here: whoever calls this has given each parameter a home of
  // its own.
  void keep_values_of(const std::vector<Slice>& runs);

 private:
  std::vector<Placed> placed_;
  KeptRuns values_, gradients_;
  int64_t size_ = 0, num_parameters_ = 0;
};

}  // namespace sft
