#include "launch/scratch.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/errors.h"
#include "base/mark.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/discover.h"
#include "trainer/checkpoint/run_directory.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

nlohmann::json owner(const std::string& output) {
  return {{"is", "scratch"}, {"output", output}, {"host", host_name()}, {"pid", ::getpid()}};
}

// Whether a dead process of this host made it for `output`.
bool is_leftover(const std::string& directory, const std::string& output) {
  const auto mark = mark_of(directory);
  if (!mark || mark->value("is", "") != "scratch" || mark->value("output", "") != output) return false;
  const auto pid = static_cast<pid_t>(mark->value("pid", 0));
  return mark->value("host", "") == host_name() && pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH;
}

void remove_leftovers(const std::string& output) {
  const fs::path path(output);
  const std::string start = path.filename().string() + ".scratch-";
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(path.parent_path(), unreadable))
    if (entry.path().filename().string().starts_with(start) && is_leftover(entry.path().string(), output))
      real_files().remove_all(entry.path().string());
}

std::string make(const std::string& output) {
  const std::string path = concat(output, ".scratch-", unique_name());
  std::error_code error;
  if (!fs::create_directory(path, error))
    throw StorageError(
        concat("cannot make ", in_quotes(path, 400), ": ", error ? error.message() : "it is there already"));
  leave_mark(real_files(), path, owner(output));
  return path;
}

}  // namespace

Scratch::Scratch(const std::string& output, Communicator& control) : control_(control) {
  together(control, [&] {
    if (control.rank() != 0) return;
    remove_leftovers(output);
    path_ = make(output);
  });
  path_ = broadcast_from(control, path_);
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (control_.rank() == 0) fs::remove_all(path_, ignored);
}

}  // namespace sft
