// The link to the best model of a sweep.
#pragma once

#include <string>

namespace sft {

// directory/best leads to `model`, a path below `directory`; where that is "" there is no such link. A link alone is
// replaced or removed: what else has the name is somebody's. What fails is told.
void link_best(const std::string& directory, const std::string& model);

}  // namespace sft
