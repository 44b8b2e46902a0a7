// Columns of targets that several tasks learn.
#pragma once

#include <cstdint>

#include "data/samples/schema.h"

namespace sft {

// One of so many classes; 0: however many, as below.
Column label_column(int64_t num_labels);

// Beside a label: the probability of each of so many classes, of which the label is the likeliest.
Column distribution_column(int64_t num_labels);

// Beside a label: what a teacher says of each of so many classes.
Column teacher_logits_column(int64_t num_labels);

// Any of so many classes: 0 or 1 each.
Column label_set_column(int64_t num_labels);

// So many real numbers.
Column values_column(int64_t count);

// For each token one of so many classes, or kNoTarget.
Column token_labels_column(int64_t num_labels);

// Whether samples of this schema have such a target, of any size.
bool has_target(const Schema& schema, const Column& target);

// Whether a target is classes or numbers, which have names in a model's id2label.
bool has_names(const Column& target);

// Classes, or numbers a sample; 0 of targets without names, and of masks.
int64_t target_count(const Schema& schema);

}  // namespace sft
