// Errors by length and by score, and the surest mistakes.
#pragma once

#include <string>

#include "trainer/report/row_review.h"

namespace sft {

std::string row_tables(const RowReview& review);  // "" where there is nothing to show

}  // namespace sft
