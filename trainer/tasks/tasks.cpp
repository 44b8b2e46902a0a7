// The list of tasks.
#include "base/errors.h"
#include "base/text.h"
#include "trainer/tasks/task.h"
#include "trainer/tasks/text_classification/text_classification.h"

namespace sft {

std::unique_ptr<Task> make_task(const std::string& task, const TaskSettings& settings, const Model& model) {
  if (task == "text_classification") return make_text_classification(settings, model);
  throw ConfigError(concat("model.task ", quoted(task), " is not built; built: text_classification"));
}

}  // namespace sft
