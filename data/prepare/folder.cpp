#include "data/prepare/folder.h"

#include <filesystem>

#include "base/errors.h"
#include "base/leftovers.h"
#include "base/mark.h"
#include "base/text.h"
#include "data/prepare/report.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
constexpr const char *kReport = "report.json", *kPartial = "partial";

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
  remove_leftovers(files_, path_, kPartial);
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

std::string PreparedFolder::start() {
  files_.make_directory(fs::path(path_).parent_path());
  remove_leftovers(files_, path_, kPartial);
  partial_ = name_in_progress(path_, kPartial);
  files_.remove_all(partial_);  // of a dead process that had this one's number
  files_.make_directory(partial_);
  leave_mark(files_, partial_, {{"is", "prepared"}});  // what a dead process leaves of it may go
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
