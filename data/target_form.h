// The forms of targets, as files and messages spell them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "data/example.h"

namespace sft {

std::string name_of(TargetForm form);                                // "label_set"
std::optional<TargetForm> target_form_named(std::string_view name);  // nothing where no form has that name

}  // namespace sft
