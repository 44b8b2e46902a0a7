// The objects of a picture, each a class and a box: heads on a model's detection tokens, taught by the boxes that they
// are matched with, and scored as COCO does.
#pragma once

#include <memory>

#include "trainer/tasks/object_detection/detection_head.h"
#include "trainer/tasks/task.h"

namespace sft {

class DetectionTask : public Task {
 public:
  virtual Detections detections(const at::Tensor& features_BDC) const = 0;
};

// ConfigError where the settings do not fit, where the model has no detection tokens, and where its patches do not fill
// the training pictures.
std::unique_ptr<DetectionTask> make_object_detection(const TaskSettings& settings, const Model& model);

}  // namespace sft
