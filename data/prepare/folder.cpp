#include "data/prepare/folder.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "data/prepare/report.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
constexpr const char* kReport = "report.json";

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

bool is_running(std::string_view pid) {
  pid_t number = 0;
  const auto parsed = std::from_chars(pid.data(), pid.data() + pid.size(), number);
  if (parsed.ec != std::errc{} || number <= 0) return true;  // not ours to judge
  return ::kill(number, 0) == 0 || errno != ESRCH;
}

}  // namespace

PreparedFolder::PreparedFolder(const std::string& parent, const std::string& name, FileOps& files)
    : path_(fs::path(parent) / name), files_(files) {}

PreparedFolder::~PreparedFolder() {
  if (partial_.empty()) return;
  try {
    files_.remove_all(partial_);
  } catch (const Error&) {
    // An error is on its way already; the next preparation removes what is left.
  }
}

std::optional<PrepareReport> PreparedFolder::load() const {
  if (!fs::exists(path_)) return {};
  const auto fail = [this](const std::string& problem) {
    throw DataError(concat(path_, ": prepared data is damaged: ", problem, "; delete the folder, and it is made anew"));
  };
  PrepareReport report;
  try {
    report = report_from_json(read_file(fs::path(path_) / kReport));
  } catch (const std::exception& error) {
    fail(error.what());
  }
  for (std::string& shard : report.shards) {
    shard = fs::path(path_) / shard;
    if (!fs::exists(shard)) fail(concat(shard, " is missing"));
  }
  report.reused = true;
  return report;
}

void PreparedFolder::remove_leftovers() const {
  const fs::path path(path_);
  const std::string start = concat(path.filename().string(), ".partial-", host_name(), "-");
  for (const auto& entry : fs::directory_iterator(path.parent_path())) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(start)) continue;
    const std::string pid = name.substr(start.size());
    if (pid == std::to_string(::getpid()) || !is_running(pid)) files_.remove_all(entry.path());
  }
}

std::string PreparedFolder::start() {
  files_.make_directory(fs::path(path_).parent_path());
  remove_leftovers();
  partial_ = concat(path_, ".partial-", host_name(), "-", ::getpid());
  files_.make_directory(partial_);
  return partial_;
}

void PreparedFolder::commit(const PrepareReport& report) {
  write_atomically(files_, fs::path(partial_) / kReport, to_json(report));
  files_.sync_directory(partial_);
  try {
    files_.rename(partial_, path_);
  } catch (const StorageError&) {
    if (!load()) throw;
    return;
  }
  partial_.clear();
  files_.sync_directory(fs::path(path_).parent_path());
}

}  // namespace sft
