#include "trainer/tasks/recipes/target_column.h"

#include <algorithm>

namespace sft {

Column label_column(int64_t num_labels) { return {.name = "labels", .bound = num_labels, .role = Role::target}; }

Column distribution_column(int64_t num_labels) {
  return {.name = "distribution", .number = Number::float32, .shape = {num_labels}, .role = Role::target};
}

Column teacher_logits_column(int64_t num_labels) {
  return {.name = "teacher_logits", .number = Number::float32, .shape = {num_labels}, .role = Role::target};
}

Column label_set_column(int64_t num_labels) {
  return {.name = "labels", .number = Number::float32, .shape = {num_labels}, .bound = 2, .role = Role::target};
}

Column values_column(int64_t count) {
  return {.name = "values", .number = Number::float32, .shape = {count}, .role = Role::target};
}

Column token_labels_column(int64_t num_labels) {
  return {.name = "labels", .number = Number::int32, .axis = "token", .bound = num_labels, .role = Role::target};
}

bool has_target(const Schema& schema, const Column& target) {
  const Column* found = schema.find(target.name);
  return found != nullptr && found->number == target.number && found->axis == target.axis &&
         found->shape.size() == target.shape.size();
}

namespace {

// Columns of ids or of numbers, of which a schema says how many there are.
bool is_counted(const Column& column) {
  return column.role == Role::target &&
         (column.name == "labels" || column.name == "values" || column.name == "box_labels");
}

}  // namespace

bool has_names(const Column& target) {
  return is_counted(target) || (target.role == Role::target && (target.name == "mask" || target.name == "boxes"));
}

int64_t target_count(const Schema& schema) {
  const auto found = std::ranges::find_if(schema.columns, is_counted);
  if (found == schema.columns.end()) return 0;
  return found->shape.empty() ? found->bound : found->shape[0];
}

}  // namespace sft
