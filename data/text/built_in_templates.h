// Chat templates for models that bring none.
#pragma once

#include <string>
#include <vector>

namespace sft {

std::vector<std::string> built_in_template_names();

// "" where there is none of that name.
std::string built_in_template(const std::string& name);

}  // namespace sft
