#include "equivalence/two_terms.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "trainer/tasks/blocks/logits_task.h"

namespace sft::equivalence {
namespace {

class TwoTerms final : public Task {
 public:
  explicit TwoTerms(std::unique_ptr<Task> task) : task_(std::move(task)), inner_(dynamic_cast<LogitsTask&>(*task_)) {}

  Needs needs() const override { return inner_.needs(); }
  Reads reads() const override { return inner_.reads(); }
  bool reads_pooler() const override { return inner_.reads_pooler(); }
  Parameters parameters() const override { return inner_.parameters(); }

  size_t num_terms() const override { return 2; }
  Weights weights(const Batch& batch) const override {
    return {inner_.weight(batch), odd_rows(batch).sum().item<double>()};
  }
  at::Tensor loss_sum(Model& model, const at::Tensor& features, const Inputs& inputs, const Batch& batch,
                      const Weights& total) override {
    const at::Tensor logits = inner_.logits(model, features, inputs, Mode::training);
    const at::Tensor squares = logits.pow(2).sum(1) * odd_rows(batch).to(logits.scalar_type());
    return inner_.loss_of(logits, batch) + squares.sum() * (total[0] / total[1]);
  }

  Statistics empty_statistics() const override { return inner_.empty_statistics(); }
  void observe(Model& model, const at::Tensor& features, const Inputs& inputs, const Batch& batch,
               const Asked& asked) override {
    inner_.observe(model, features, inputs, batch, asked);
  }
  nlohmann::ordered_json metrics(const Statistics& total) const override { return inner_.metrics(total); }
  nlohmann::ordered_json details(const Statistics& total) const override { return inner_.details(total); }
  std::string default_metric() const override { return inner_.default_metric(); }
  void describe(nlohmann::json& config) const override { inner_.describe(config); }

 private:
  static at::Tensor odd_rows(const Batch& batch) { return view_of(batch, "labels").remainder(2).eq(1).to(at::kDouble); }

  std::unique_ptr<Task> task_;
  LogitsTask& inner_;
};

}  // namespace

std::unique_ptr<Task> with_second_term(std::unique_ptr<Task> task) {
  return std::make_unique<TwoTerms>(std::move(task));
}

}  // namespace sft::equivalence
