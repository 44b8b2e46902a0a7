#include "launch/sweep/best_link.h"

#include <filesystem>
#include <system_error>

#include "base/log.h"
#include "base/text.h"

namespace sft {

void link_best(const std::string& directory, const std::string& model) {
  namespace fs = std::filesystem;
  const fs::path link = fs::path(directory) / "best";
  std::error_code error;
  if (fs::exists(fs::symlink_status(link, error)) && !fs::is_symlink(link)) {
    if (!model.empty())
      log::warn(concat(link.string(), " is there and is no link: it stays, and does not lead to the best model"));
    return;
  }
  fs::remove(link, error);
  if (!model.empty()) fs::create_directory_symlink(model, link, error);
  if (error)
    log::warn(concat("no link to the best model: ", link.string(), ": ", error.message()));
  else if (!model.empty())
    log::info(concat("best model: ", link.string()));
}

}  // namespace sft
