// Tasks whose logits are few enough to be kept, and whose loss is one term: what is done with a batch is told of its
// logits.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/tasks/blocks/finite_outputs.h"
#include "trainer/tasks/blocks/logits_of_rows.h"
#include "trainer/tasks/head_facts.h"
#include "trainer/tasks/task.h"

namespace sft {

class LogitsTask : public Task {
 public:
  // Called with the logits of each training batch, in front of its loss.
  using Watch = std::function<void(const at::Tensor& logits, const Batch& batch)>;
  void watch_training(Watch watch) { watch_ = std::move(watch); }

  // For who writes the model down in another form. Nothing: logits are not those of such a head on the features alone.
  virtual std::optional<HeadFacts> head() const { return {}; }

  // Whether the rows are samples, so that logits can be told of each; else tokens.
  virtual bool has_logits_of_samples() const { return true; }
  // Of the rows that are read, [rows, outputs].
  virtual at::Tensor logits(Model& model, const at::Tensor& features, const Inputs& inputs, Mode mode) = 0;

  // The label that each row of `logits` is given, [rows, 1]; of tasks that give a sample one label.
  virtual at::Tensor labels_given(const at::Tensor& logits) const { return logits.argmax(1, /*keepdim=*/true); }

  virtual double weight(const Batch& batch) const = 0;
  virtual at::Tensor loss_of(const at::Tensor& logits, const Batch& batch) const = 0;  // the sum over targets
  virtual void accumulate(const at::Tensor& logits, const Batch& batch, Statistics& into) const = 0;
  // Of each target num_outputs truths, then as many logits; of tasks whose targets are labels. Truths are 0 or 1, or
  // where one label a sample is learned as a probability of each, those: the label is then the first of the most.
  virtual void add_outputs(const at::Tensor&, const Batch&, std::vector<double>&) const {}
  virtual std::vector<std::string> predictions(const at::Tensor& logits, const Batch& batch) const = 0;

  Weights weights(const Batch& batch) const final { return {weight(batch)}; }
  at::Tensor loss_sum(Model& model, const at::Tensor& features, const Inputs& inputs, const Batch& batch,
                      const Weights&) final {
    const at::Tensor given = logits(model, features, inputs, Mode::training);
    if (watch_) watch_(given, batch);
    return loss_of(given, batch);
  }
  void observe(Model& model, const at::Tensor& features, const Inputs& inputs, const Batch& batch,
               const Asked& asked) final {
    const at::Tensor given = logits(model, features, inputs, Mode::evaluation);
    const bool finite = are_finite(given);
    if (!finite && asked.predictions != nullptr) refuse_not_finite(batch);
    if (asked.statistics != nullptr) {
      finite ? accumulate(given, batch, *asked.statistics) : add_undefined(*asked.statistics);
    }
    if (asked.outputs && asked.statistics != nullptr && finite) add_outputs(given, batch, asked.statistics->outputs);
    if (asked.predictions == nullptr) return;
    *asked.predictions = predictions(given, batch);
    if (asked.logits && has_logits_of_samples()) add_logits(given, *asked.predictions);
  }

 private:
  Watch watch_;
};

}  // namespace sft
