// What only training needed of runs that have ended: told, and with --yes removed.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/ownership.h"
#include "launch/removable.h"
#include "launch/run_directory.h"
#include "trainer/assembly/datasets.h"
#include "trainer/checkpoint/run_lock.h"
#include "trainer/report/run_record.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// A folder of runs, as a sweep's, stands for those in it.
std::vector<std::string> runs_named_by(const std::vector<std::string>& directories) {
  std::vector<std::string> runs;
  for (const std::string& directory : directories)
    for (const std::string& run : runs_at(directory)) {
      if (!is_own(run))
        throw ConfigError(concat(in_quotes(run, 400),
                                 " is not known to be a run of this program: there is no .sft-dist in it, nor what a "
                                 "run leaves. Nothing is removed"));
      runs.push_back(fs::canonical(run).string());
    }
  std::ranges::sort(runs);
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  return runs;
}

// Folders of prepared rows that no run reads but those named; with them, in `shared`, those that others read too.
std::set<std::string> caches_of(const std::vector<std::string>& runs, StringList& shared) {
  std::set<std::string> caches;
  for (const std::string& run : runs) {
    RunConfig config = kept_config(run);
    if (!config.data.prepared_dir.empty()) continue;  // somebody's choice, perhaps for many runs
    config.output_dir = run;
    if (const std::string prepared = prepared_directory(config); fs::is_directory(prepared)) caches.insert(prepared);
  }
  std::erase_if(caches, [&](const std::string& prepared) {
    for (const auto& entry : fs::directory_iterator(fs::path(prepared).parent_path())) {
      const bool is_run = fs::exists(entry.path() / ".sft-dist") || fs::exists(entry.path() / "config.toml");
      if (!is_run || std::ranges::find(runs, fs::canonical(entry.path()).string()) != runs.end()) continue;
      shared.push_back(concat(prepared, ": ", entry.path().string(), " reads there too; name it as well"));
      return true;
    }
    return false;
  });
  return caches;
}

class Tally {
 public:
  void show(const std::string& title, const Removables& found) {
    std::cout << title << '\n';
    for (const Removable& one : found.go) {
      std::cout << "  " << one.path << "  " << amount(one.files, one.bytes) << '\n';
      files_ += one.files;
      bytes_ += one.bytes;
    }
    if (found.go.empty()) std::cout << "  nothing that only training needed\n";
    for (const std::string& one : found.stay) std::cout << "  stays: " << one << '\n';
  }

  std::string text() const { return amount(files_, bytes_); }

 private:
  static std::string amount(int64_t files, int64_t bytes) {
    return concat(human_count(static_cast<double>(files)), files == 1 ? " file, " : " files, ",
                  human_bytes(static_cast<double>(bytes)));
  }

  int64_t files_ = 0, bytes_ = 0;
};

void clean_runs(const Arguments& arguments) {
  const std::vector<std::string> runs = runs_named_by(arguments.inputs);
  std::vector<std::unique_ptr<RunLock>> locks;  // of all, before any is touched
  for (const std::string& run : runs) locks.push_back(std::make_unique<RunLock>(run));
  Tally tally;
  std::vector<Removable> all;
  const auto add = [&](const std::string& title, const Removables& found) {
    tally.show(title, found);
    all.insert(all.end(), found.go.begin(), found.go.end());
  };
  for (const std::string& run : runs) add(run, removable_of_run(run));
  StringList shared;
  for (const std::string& prepared : caches_of(runs, shared)) add(prepared, removable_of_caches(prepared));
  for (const std::string& one : shared) std::cout << "stays: " << one << '\n';
  std::cout << std::flush;
  if (arguments.yes)
    for (const Removable& one : all) remove(one);
  if (arguments.yes)
    log::info(concat("removed ", tally.text()));
  else
    log::info(concat(tally.text(), " would go; --yes removes them. Nothing was removed"));
}

}  // namespace

ExitCode clean(const Arguments& arguments, Job& job) {
  together(job.control(), [&] {
    if (job.control().rank() == 0) clean_runs(arguments);
  });
  return ExitCode::done;
}

}  // namespace sft
