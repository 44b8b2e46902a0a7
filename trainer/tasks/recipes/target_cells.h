// Cells with several labels or with real numbers: a JSON list, or text with a separator.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/prepare/labels.h"
#include "data/readers/row.h"

namespace sft {

// The labels of one row, none allowed. CellProblem where it is no such list, or names one twice.
void read_label_set(const Cell& cell, const std::string& separator, std::vector<Label>& out);

// How many flags the cell holds, a 0 or 1 for each label there is; 0 where it holds something else, or one item alone,
// which names a label.
int64_t count_flags(const Cell& cell, const std::string& separator);

// The labels whose flag is 1, by id. CellProblem where the cell does not hold `count` flags.
void read_flags(const Cell& cell, const std::string& separator, int64_t count, std::vector<int64_t>& ids);

// Finite numbers of single precision: one, or a list of them. `count`: how many are wanted; 0: one or more. CellProblem
// where they are not.
void read_values(const Cell& cell, const std::string& separator, int64_t count, std::vector<float>& out);

// Likewise of { label = number }, in the order of `labels`. CellProblem where it does not name each of them once, or
// names another.
void read_values_by_label(const Cell& cell, const std::vector<std::string>& labels, std::vector<float>& out);

// How many numbers the cell would have as real numbers.
int64_t count_values(const Cell& cell, const std::string& separator);

// "[1, 0]" or "[]", as tables spell a list.
bool looks_like_a_list(std::string_view text);

// model.problem_type where the cell can be meant in one way only: a name is one label, in a list one of a set; an
// object holds probabilities of one label; a number with a fraction is a real number. "" for whole numbers, and for
// what can be no target.
std::string problem_type_told_by(const Cell& cell);

}  // namespace sft
