// Of tasks that give labels by their probability: what is settled on rows with known labels once training has ended.
#pragma once

#include <string>
#include <vector>

#include "trainer/metrics/calibration.h"

namespace sft {

class Deciding {
 public:
  virtual ~Deciding() = default;
  virtual Squash squash() const = 0;
  // Labels that are given above a threshold: all of a set, or the second of two classes. None: the likeliest is given.
  virtual std::vector<std::string> thresholded() const = 0;
  // One for each of thresholded(), or none: the likeliest is given.
  virtual std::vector<double> thresholds() const = 0;
  virtual void set_thresholds(const std::vector<double>& thresholds) = 0;
  // False where the model brings its own output layer, which is not the task's to change.
  virtual bool has_own_output() const = 0;
  // In the weights of the output layer, so that every reader of the model has calibrated probabilities.
  virtual void divide_logits(double temperature) = 0;
};

}  // namespace sft
