// The two texts of a sample that is a pair, such as a sentence and its translation.
#pragma once

namespace sft {

enum class Side { source, target };  // the text that is read, and the one that is written

}  // namespace sft
