// The list of tasks.
#include "base/errors.h"
#include "base/text.h"
#include "trainer/tasks/image_classification/image_classification.h"
#include "trainer/tasks/multi_label/multi_label.h"
#include "trainer/tasks/regression/regression.h"
#include "trainer/tasks/task.h"
#include "trainer/tasks/text_classification/text_classification.h"
#include "trainer/tasks/token_classification/token_classification.h"

namespace sft {

std::unique_ptr<Task> make_task(const std::string& task, const TaskSettings& settings, const Model& model) {
  if (task == "text_classification") {
    if (settings.target == TargetForm::label_set) return make_multi_label(settings, model);
    if (settings.pos_weight.kind != ClassWeights::Kind::none)
      throw ConfigError("train.pos_weight is for sets of labels (model.problem_type = \"multi_label_classification\")");
    if (settings.target == TargetForm::values) return make_regression(settings, model);
    return make_text_classification(settings, model);
  }
  if (task == "token_classification") return make_token_classification(settings, model);
  if (task == "image_classification") return make_image_classification(settings, model);
  throw ConfigError(concat("model.task ", in_quotes(task), " is not built; built: text_classification, ",
                           "token_classification, image_classification"));
}

}  // namespace sft
