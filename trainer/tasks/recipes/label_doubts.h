// Names of classes that look like slips. They are taken as they are, and told.
#pragma once

#include "base/schema.h"

namespace sft {

// Two that differ in case, blanks or Unicode form alone, two that are one number, one that is written as a missing
// value, and one that is a list written as text; of each kind the first.
StringList doubts_of_labels(const StringList& names);

// Tags that mark entities in another way than B-PER, I-PER, E-PER and S-PER, so that none, or half of them, would be
// seen: B_PER, PER-B, and the L- and U- of BILOU.
StringList doubts_of_tags(const StringList& names);

}  // namespace sft
