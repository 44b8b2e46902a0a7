#include "trainer/tasks/recipes/target_column.h"

#include <algorithm>
#include <cassert>

#include "trainer/tasks/causal_lm/rows/columns.h"
#include "trainer/tasks/seq2seq_lm/rows/columns.h"

namespace sft {
namespace {

const Column& target_of(const Schema& schema) {
  const auto found = std::ranges::find(schema.columns, Role::target, &Column::role);
  assert(found != schema.columns.end());
  return *found;
}

}  // namespace

Column target_column(TargetForm form, int64_t count) {
  Column column{.name = "labels", .bound = count, .role = Role::target};
  switch (form) {
    case TargetForm::label:
      break;
    case TargetForm::token_labels:
      column.number = Number::int32;
      column.axis = "token";
      break;
    case TargetForm::label_set:
      return {.name = "labels", .number = Number::float32, .shape = {count}, .bound = 2, .role = Role::target};
    case TargetForm::values:
      return {.name = "values", .number = Number::float32, .shape = {count}, .role = Role::target};
    case TargetForm::span:
      return {.name = "span", .number = Number::int32, .shape = {2}, .bound = count, .role = Role::target};
    case TargetForm::spans:
      return causal::spans_column(count);
    case TargetForm::sequence:
      return seq2seq::target_tokens_column(count);
  }
  return column;
}

TargetForm target_form_of(const Schema& schema) {
  const Column& column = target_of(schema);
  if (column.name == "values") return TargetForm::values;
  if (column.name == "span") return TargetForm::span;
  if (column.name == causal::kSpans) return TargetForm::spans;
  if (column.name == seq2seq::kTargetTokens) return TargetForm::sequence;
  if (column.number == Number::float32) return TargetForm::label_set;
  return column.axis.empty() ? TargetForm::label : TargetForm::token_labels;
}

int64_t target_count(const Schema& schema) {
  const Column& column = target_of(schema);
  if (column.name == "span" || column.name == causal::kSpans || column.name == seq2seq::kTargetTokens) return 0;
  return column.shape.empty() ? column.bound : column.shape[0];
}

}  // namespace sft
