// The table of tasks: how a row is found.
#include "trainer/tasks/tasks.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "trainer/tasks/recipes/target.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

// Samples that have a target of three, beside tokens.
Schema samples_with(Column target) {
  for (int64_t& size : target.shape) size = size == 0 ? 3 : size;
  return {.columns = {{.name = "tokens", .number = Number::int32, .axis = "token"}, target}, .units = {"token"}};
}

TEST(Tasks, AreFoundByTheTargetsOfTheirSamples) {
  for (const TaskKind& kind : tasks()) {
    const TaskKind& found = task_of_samples(kind.name, samples_with(kind.target));
    EXPECT_EQ(&found, &kind) << kind.name << " " << kind.problem_type << " has the target of " << found.problem_type;
  }
}

TEST(Tasks, AreFoundByNameAndProblemType) {
  for (const TaskKind& kind : tasks()) EXPECT_EQ(&task_of_type(kind.name, kind.problem_type), &kind);
  EXPECT_EQ(&task_of_type("text_classification", ""), &task_named("text_classification")) << "where nothing is said";
  EXPECT_EQ(&task_of_type("token_classification", kRealNumbers), &task_named("token_classification"))
      << "which is of one problem type, and says none";
}

TEST(Tasks, RefuseTargetsThatTheyDoNotLearn) {
  const auto why = [](const auto& body) -> std::string {
    try {
      body();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "(nothing was refused)";
  };
  EXPECT_EQ(why([] { task_of_type("image_classification", kRealNumbers); }),
            "model.task 'image_classification' does not learn targets of the problem type 'regression'");
  EXPECT_EQ(why([] { task_of_samples("text_classification", samples_with(token_labels_column(3))); }),
            "model.task 'text_classification' does not learn the targets of samples that have 'tokens' (int32 along "
            "token), 'labels' (int32 along token)");
}

}  // namespace
}  // namespace sft
