// Cells with a probability for each label in place of one label: {"a": 0.7, "b": 0.3}, where a label that is not named
// has none, or a list of numbers in the order of the labels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/prepare/labels.h"
#include "data/readers/row.h"
#include "trainer/tasks/recipes/target.h"

namespace sft {

// Whether rows of some of these files may have such cells: those of .csv and .tsv have none.
bool may_hold_probabilities(const StringList& files);

// An object, or a list of numbers alone where such are meant.
bool holds_probabilities(const Cell& cell, const ProbabilityForm& form);

// `labels`: those that an object names, none of a list. CellProblem where they are no numbers from 0 on that sum to 1
// within 1e-4, or to a number above 0 where they are to be normalized.
void read_probabilities(const Cell& cell, const ProbabilityForm& form, std::vector<Label>& labels,
                        std::vector<float>& probabilities);

// Makes probabilities of all labels by id of an answer that has the ids of its labels, and leaves the id of the
// likeliest alone, the first of equals: the label that is counted, sampled and scored by. A plain label has all of the
// probability. CellProblem where a list has others than `num_labels`.
void settle_distribution(Answer& answer, int64_t num_labels);

// The text of the likeliest label of those that are named; "" where none is.
std::string likeliest_name(const Answer& answer);

}  // namespace sft
