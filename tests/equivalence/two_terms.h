// A task whose loss has a second term with a denominator of its own, as detection's boxes beside its classes.
#pragma once

#include <memory>

#include "trainer/tasks/task.h"

namespace sft::equivalence {

// To the loss of `task`, a LogitsTask of labels, comes the mean square of the logits over those rows alone whose label
// is odd.
std::unique_ptr<Task> with_second_term(std::unique_ptr<Task> task);

}  // namespace sft::equivalence
