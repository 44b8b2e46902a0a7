#include "trainer/loop/answering.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "base/failpoint.h"
#include "base/progress.h"

namespace sft {

Answering::Answering(Learner& learner, int64_t num_samples, const AnswerSettings& settings)
    : generating_(*learner.task().generating()),
      generator_(learner.model(), [this](const at::Tensor& x_BC) { return generating_.next_logits(x_BC); },
                 {.generate = settings.generate, .seed = settings.seed, .device = learner.device()}),
      most_rows_(settings.most_rows),
      order_(num_samples, derive_key(settings.seed, "rows to answer")) {}

void Answering::answer(const Batch& batch, Statistics* into, std::vector<std::string>* rows,
                       const std::function<void()>& may_leave) {
  const Phase phase("generation");
  failpoint("generation.batch");
  std::vector<size_t> chosen;
  std::vector<Prompt> prompts;
  for (size_t b = 0; b < batch.ids.size(); ++b) {
    if (order_(batch.ids[b]) >= most_rows_) continue;
    Prompt prompt = generating_.prompt(batch, b);
    if (prompt.tokens.empty()) continue;
    chosen.push_back(b);
    prompts.push_back(std::move(prompt));
  }
  // In the order of the batch, so that sums do not depend on who ends first.
  std::vector<Continuation> said(prompts.size());
  const auto each_token = [&](size_t, std::span<const int32_t>) {
    beat();
    may_leave();
    return true;
  };
  generator_.run(
      prompts, [&](size_t i, Continuation one) { said[i] = std::move(one); }, each_token);
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (into != nullptr) generating_.compare(batch, chosen[i], said[i], *into);
    if (rows == nullptr) continue;
    nlohmann::ordered_json row = generating_.row(batch, chosen[i], said[i]);
    row.update(nlohmann::ordered_json::parse((*rows)[chosen[i]]));
    (*rows)[chosen[i]] = row.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }
}

}  // namespace sft
