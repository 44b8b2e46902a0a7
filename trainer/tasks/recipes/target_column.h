// Forms of targets as columns of samples.
#pragma once

#include <cstdint>

#include "data/readers/target_form.h"
#include "data/samples/schema.h"

namespace sft {

// The column of targets: of so many classes, numbers a sample, or tokens of a sample; 0: however many.
Column target_column(TargetForm form, int64_t count);

// The form of the targets that a schema has; it must have some.
TargetForm target_form_of(const Schema& schema);

// Classes, or numbers a sample; 0 of spans and sequences.
int64_t target_count(const Schema& schema);

}  // namespace sft
