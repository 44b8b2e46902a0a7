#include "launch/version.h"

#include <torch/headeronly/version.h>

namespace sft {

std::string version_text() { return "sft-dist " SFT_VERSION " (LibTorch " TORCH_VERSION ")"; }

}  // namespace sft
