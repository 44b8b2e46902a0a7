// Tasks that learn one thing of a whole sample: those whose head is a SequenceHead.
#pragma once

#include "trainer/tasks/blocks/describe_labels.h"
#include "trainer/tasks/blocks/logits_task.h"
#include "trainer/tasks/blocks/sequence_head.h"

namespace sft {

class SequenceTask : public LogitsTask {
 public:
  Reads reads() const final { return head_.reads(); }
  bool reads_pooler() const final { return head_.reads_pooler(); }
  Parameters parameters() const final { return head_.parameters(); }
  std::optional<HeadFacts> head() const final { return head_.facts(); }
  at::Tensor logits(Model& model, const at::Tensor& features, const Inputs& inputs, Mode mode) final {
    return head_.logits(model, features, inputs, mode);
  }

 protected:
  SequenceTask(const TaskSettings& settings, const Model& model)
      : names_(settings.labels.names), head_(settings, model, static_cast<int64_t>(names_.size())) {}

  void describe_as(const char* problem_type, nlohmann::json& config) const {
    describe_labels(config, names_, problem_type);
    head_.describe(config);
  }

  StringList names_;  // of the outputs
  SequenceHead head_;
};

}  // namespace sft
