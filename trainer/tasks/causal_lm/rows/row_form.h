// Which form a row of text has, told by its columns.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "data/readers/row.h"

namespace sft::causal {

enum class RowForm { messages, conversations, prompt_completion, instruction_output, text };

inline constexpr std::array kRowForms = {RowForm::messages, RowForm::conversations, RowForm::prompt_completion,
                                         RowForm::instruction_output, RowForm::text};

// "messages", "prompt and completion": the columns, for messages.
const char* name_of(RowForm form);
std::optional<RowForm> row_form_named(const std::string& name);

// `text_column`: data.text_column. BadRow where the columns are of no form, or the column of the answer is missing and
// `answers` are wanted.
RowForm form_of(const Row& row, const std::string& text_column, bool answers);

}  // namespace sft::causal
