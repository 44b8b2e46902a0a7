#include "launch/scratch.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "base/errors.h"
#include "base/leftovers.h"
#include "base/mark.h"
#include "base/text.h"
#include "comm/agree.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kScratch = "scratch";

bool is_scratch(const std::string& directory) {
  const auto mark = mark_of(directory);
  return mark && mark->value("is", "") == kScratch;
}

void remove_leftovers_of(const std::string& output) {
  const fs::path path(output);
  const std::string start = concat(path.filename().string(), ".", kScratch, "-");
  std::vector<std::string> found;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(path.parent_path(), unreadable)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(start) && is_left_over(name) && is_scratch(entry.path().string()))
      found.push_back(entry.path().string());
  }
  for (const std::string& leftover : found) real_files().remove_all(leftover);
}

std::string make(const std::string& output) {
  const std::string path = name_in_progress(output, kScratch);
  if (is_scratch(path)) real_files().remove_all(path);  // of a dead process that had this one's number
  std::error_code error;
  if (!fs::create_directory(path, error))
    throw StorageError(
        concat("cannot make ", in_quotes(path, 400), ": ", error ? error.message() : "it is there already"));
  leave_mark(real_files(), path, {{"is", kScratch}});
  return path;
}

}  // namespace

Scratch::Scratch(const std::string& output, Communicator& control) : control_(control) {
  together(control, [&] {
    if (control.rank() != 0) return;
    remove_leftovers_of(output);
    path_ = make(output);
  });
  path_ = broadcast_from(control, path_);
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (control_.rank() == 0) fs::remove_all(path_, ignored);
}

}  // namespace sft
