// Commented configs to fill in, one a kind of target: the .toml files of this folder, which the build puts into the
// program.
#pragma once

#include <span>
#include <string_view>

namespace sft {

struct Starter {
  std::string_view name, text;
};
std::span<const Starter> starters();

}  // namespace sft
