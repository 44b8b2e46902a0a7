#include "launch/version.h"

#include <ATen/Version.h>

namespace sft {

std::string version_text() { return "sft-dist " SFT_VERSION " (LibTorch " TORCH_VERSION ")"; }

}  // namespace sft
