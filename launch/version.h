// The version of this program and of the libraries it runs with.
#pragma once

#include <string>

namespace sft {

std::string version_text();

}  // namespace sft
