#include "trainer/tasks/causal_lm/rows/row_form.h"

#include "base/text.h"
#include "data/prepare/input.h"

namespace sft::causal {
namespace {

// A question without its answer is told as such: the column of the answer is what the row lacks.
bool has(const Row& row, const char* question, const char* answer, bool answers) {
  if (row.find(question) == nullptr) return false;
  if (answers && row.find(answer) == nullptr)
    throw BadRow(concat(row.place(), ": has a ", question, " and no ", answer,
                        "; the row has: ", list_of_columns(row.names(), answer)));
  return true;
}

}  // namespace

const char* name_of(RowForm form) {
  switch (form) {
    case RowForm::messages:
      return "messages";
    case RowForm::conversations:
      return "conversations";
    case RowForm::prompt_completion:
      return "prompt and completion";
    case RowForm::instruction_output:
      return "instruction and output";
    case RowForm::text:
      return "text";
  }
  return "";
}

std::optional<RowForm> row_form_named(const std::string& name) {
  for (const RowForm form : kRowForms)
    if (name == name_of(form)) return form;
  return {};
}

RowForm form_of(const Row& row, const std::string& text_column, bool answers) {
  if (row.find("messages") != nullptr) return RowForm::messages;
  if (row.find("conversations") != nullptr) return RowForm::conversations;
  if (has(row, "prompt", "completion", answers)) return RowForm::prompt_completion;
  if (has(row, "instruction", "output", answers)) return RowForm::instruction_output;
  if (row.find(text_column) != nullptr) return RowForm::text;
  throw BadRow(
      concat(row.place(), ": wanted messages, conversations, prompt and completion, instruction and output, or ",
             in_quotes(text_column), " (data.text_column); the row has: ", list_of_columns(row.names(), text_column)));
}

}  // namespace sft::causal
