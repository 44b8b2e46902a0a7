#include "trainer/tasks/blocks/accepted_loss.h"

#include <algorithm>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

// "mse, mae or huber"
std::string alternatives(const StringList& words) {
  if (words.size() == 1) return words.front();
  return concat(join(StringList(words.begin(), words.end() - 1), ", "), " or ", words.back());
}

}  // namespace

void require_accepted(const LossConfig& loss, const AcceptedLoss& accepted) {
  if (loss.kind != "auto" && std::ranges::find(accepted.kinds, loss.kind) == accepted.kinds.end())
    throw ConfigError(concat("train.loss = ", in_quotes(loss.kind), ": ", accepted.targets, " learned by ",
                             alternatives(accepted.kinds)));
  const auto refuse = [&](const char* key, const char* meant_for) {
    throw ConfigError(concat("train.", key, " is for ", meant_for, ", and here ", accepted.targets, " learned"));
  };
  if (!accepted.class_weights && loss.class_weights.word != "none")
    refuse("class_weights", "one label a row, a word or an image (sets of labels have train.pos_weight)");
  if (!accepted.pos_weight && loss.pos_weight.word != "none")
    refuse("pos_weight", "sets of labels (model.problem_type = \"multi_label_classification\")");
  if (!accepted.label_smoothing && loss.label_smoothing_factor != 0) refuse("label_smoothing_factor", "labels");
  if (!accepted.priors && loss.logit_adjustment != 0)
    refuse("logit_adjustment", "labels and sets of labels of a sample");
  if (!accepted.teacher && loss.distill_weight != 0) refuse("distill_weight", "one label a row");
}

}  // namespace sft
