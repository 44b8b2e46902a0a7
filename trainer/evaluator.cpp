#include "trainer/evaluator.h"

#include <cstring>
#include <span>
#include <string>

#include "base/stopwatch.h"
#include "comm/agree.h"
#include "data/loader.h"

namespace sft {
namespace {

void report(const Task& task, const at::Tensor& logits, const Batch& batch, const PredictionSink& predicted) {
  if (!predicted) return;
  const std::vector<std::string> rows = task.predictions(logits, batch);
  for (size_t b = 0; b < rows.size(); ++b) predicted(batch.ids[b], rows[b]);
}

// Leaves the rows of all ranks, in rank order, on each of them.
void gather_rows(Communicator& control, std::vector<double>& rows) {
  const std::string mine(reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(double));
  std::string all;
  for (const std::string& part : gather_all(control, mine)) all += part;
  rows.resize(all.size() / sizeof(double));
  std::memcpy(rows.data(), all.data(), all.size());
}

}  // namespace

Evaluator::Evaluator(Learner& learner, const Dataset& dataset, Communicator& control, const Budget& budget)
    : learner_(learner), dataset_(dataset), control_(control), budget_(budget) {}

Evaluation Evaluator::run(const PredictionSink& predicted) {
  const Stopwatch watch;
  Statistics mine = learner_.task().empty_statistics();
  together(control_, [&] {
    const auto loader =
        make_eval_loader(dataset_, {control_.rank(), control_.size()}, budget_.max_tokens, budget_.max_samples);
    for (Batch batch; loader->next(batch);) {
      const at::Tensor logits = learner_.logits(batch);
      learner_.task().accumulate(logits, batch, mine);
      report(learner_.task(), logits, batch, predicted);
    }
  });
  control_.all_reduce(Buffer::of(std::span<double>(mine.counts)));
  gather_rows(control_, mine.rows);
  return {.metrics = learner_.task().metrics(mine),
          .details = learner_.task().details(mine),
          .samples = dataset_.size(),
          .seconds = watch.seconds()};
}

void Evaluator::predict(const PredictionSink& predicted) {
  together(control_, [&] {
    const auto loader =
        make_eval_loader(dataset_, {control_.rank(), control_.size()}, budget_.max_tokens, budget_.max_samples);
    for (Batch batch; loader->next(batch);) report(learner_.task(), learner_.logits(batch), batch, predicted);
  });
}

}  // namespace sft
