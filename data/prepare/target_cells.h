// Cells with several labels or with real numbers: a JSON list, or text with a separator.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/prepare/labels.h"
#include "data/readers/row.h"
#include "data/readers/target_form.h"

namespace sft {

// The labels of one row, none allowed. CellProblem where it is no such list, or names one twice.
void read_label_set(const Cell& cell, const std::string& separator, std::vector<Label>& out);

// Finite numbers of single precision: one, or a list of them. `count`: how many are wanted; 0: one or more. CellProblem
// where they are not.
void read_values(const Cell& cell, const std::string& separator, int64_t count, std::vector<float>& out);

// How many numbers a cell of TargetForm::values has.
int64_t count_values(const Cell& cell, const std::string& separator);

// What alone tells how a column is meant: a name → label, or label_set in a list; a fraction → values. Nothing for
// whole numbers, and for what can be no target.
std::optional<TargetForm> form_told_by(const Cell& cell);

}  // namespace sft
