// A checkpoint loses its name before it loses its first file, durably, so a final name never stands
// on a part.
#include "trainer/checkpoint/run_directory.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <string_view>

#include "base/errors.h"
#include "base/leftovers.h"
#include "base/log.h"
#include "base/text.h"
#include "trainer/checkpoint/manifest.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kCorrupt = ".corrupt-";
constexpr std::string_view kReplaced = ".replaced-";

// The step of "checkpoint-<step>", written as this program writes it.
std::optional<int64_t> step_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kPrefix.size());
  int64_t step = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  if (error != std::errc{} || step < 0 || digits != std::to_string(step)) return std::nullopt;
  return step;
}

// One that cannot be read, or is torn, was this program's as far as can be known.
bool has_manifest(const fs::path& checkpoint) {
  const fs::path path = checkpoint / kManifestName;
  if (std::error_code ignored; !fs::exists(path, ignored)) return false;
  try {
    return !is_of_another_program(read_file(path.string()));
  } catch (const Error&) {
    return true;
  }
}

// Names in a directory, sorted; none where it cannot be read.
std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

// A name beside `path` that nothing bears: the time, to the second, and a count where that is taken.
std::string free_name(const std::string& path, std::string_view mark) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  std::string name = concat(path, mark, text);
  std::error_code ignored;
  for (int k = 2; fs::exists(fs::symlink_status(name, ignored)); ++k) name = concat(path, mark, text, ".", k);
  return name;
}

// `mark`, "checkpoint-<step>." and what unique_name() gives: nobody else names a directory so.
bool is_of_checkpoint(std::string_view name, std::string_view mark) {
  constexpr size_t kUnique = 16;
  if (!name.starts_with(mark) || name.size() < mark.size() + kUnique + 1) return false;
  const std::string_view unique = name.substr(name.size() - kUnique);
  const std::string_view checkpoint = name.substr(mark.size(), name.size() - mark.size() - kUnique - 1);
  return step_of(checkpoint) && name[name.size() - kUnique - 1] == '.' &&
         unique.find_first_not_of("0123456789abcdef") == unique.npos;
}

// The beginning of a `latest`, under a name that builds of before gave it: "checkpoint-<step>", or less of it.
bool is_torn_latest(const std::string& name, const std::string& path) {
  constexpr size_t kLongest = 40;
  std::error_code none;
  if (!name.starts_with("latest.tmp.") || !fs::is_regular_file(fs::symlink_status(path, none)) ||
      fs::file_size(path, none) > kLongest)
    return false;
  try {
    const std::string text = read_file(path);
    return text.starts_with(kPrefix) || kPrefix.starts_with(text);
  } catch (const Error&) {
    return false;
  }
}

void or_warn(const std::function<void()>& action) {
  try {
    action();
  } catch (const StorageError& error) {
    log::warn(concat("leftover of a checkpoint stays: ", error.what()));
  }
}

}  // namespace

std::string checkpoint_name(int64_t step) { return concat(kPrefix, step); }

std::string checkpoint_path(const std::string& directory, int64_t step) {
  return concat(directory, "/", checkpoint_name(step));
}

std::string temporary_path(const std::string& directory, int64_t step, const std::string& unique) {
  return concat(directory, "/.tmp-", kPrefix, step, ".", unique);
}

RunListing list_run(const std::string& directory) {
  RunListing listing;
  for (const std::string& name : names_in(directory)) {
    const fs::path path = fs::path(directory) / name;
    std::error_code ignored;
    if (const auto step = step_of(name); step && fs::is_directory(path, ignored)) {
      if (has_manifest(path))
        listing.steps.push_back(*step);
      else
        listing.not_ours.push_back(name);
    } else if (name.starts_with(kPrefix) && name.find(kCorrupt) != name.npos) {
      listing.quarantined.push_back(name);
    }
  }
  std::ranges::sort(listing.steps, std::greater());
  return listing;
}

std::string latest_checkpoint(const std::string& directory) {
  const fs::path path = fs::path(directory) / kLatestName;
  if (fs::is_symlink(path) || !fs::is_regular_file(path)) return "";
  const std::string text = read_file(path.string());
  return text.substr(0, text.find('\n'));
}

std::string run_of_latest(const std::string& directory) {
  try {
    const std::string latest = latest_checkpoint(directory);
    if (!step_of(latest)) return "";
    const std::string manifest = concat(directory, "/", latest, "/", kManifestName);
    return parse_manifest(read_file(manifest), manifest).run_id;
  } catch (const Error&) {
    return "";
  }
}

std::vector<int64_t> steps_to_resume(const std::string& directory) {
  std::vector<int64_t> steps = list_run(directory).steps;
  if (const std::string run_id = run_of_latest(directory); !run_id.empty())
    std::ranges::stable_partition(steps,
                                  [&](int64_t step) { return is_of_run(checkpoint_path(directory, step), run_id); });
  return steps;
}

std::vector<std::string> leftovers_of_checkpoints(const std::string& directory) {
  std::vector<std::string> found;
  for (const std::string& name : names_in(directory)) {
    const std::string path = concat(directory, "/", name);
    // `latest` is written under the run's lock alone: whoever left its beginning is not at work any more.
    const bool is_torn = is_torn_latest(name, path) || (name.find(".tmp.") != name.npos && is_left_over(name));
    if (is_of_checkpoint(name, ".tmp-") || is_of_checkpoint(name, ".trash-") || is_torn) found.push_back(path);
  }
  return found;
}

void collect_leftovers(FileOps& files, const std::string& directory) {
  for (const std::string& path : leftovers_of_checkpoints(directory)) or_warn([&] { files.remove_all(path); });
  for (const std::string& name : names_in(directory)) {
    const std::string path = concat(directory, "/", name);
    const std::string before = name.substr(0, name.find(kReplaced));
    std::error_code ignored;
    if (before != name && step_of(before) && !fs::exists(concat(directory, "/", before), ignored))
      or_warn([&] { files.rename(path, concat(directory, "/", before)); });
  }
}

std::string quarantine(FileOps& files, const std::string& path) {
  const std::string name = free_name(path, kCorrupt);
  files.rename(path, name);
  return name;
}

std::string set_aside(FileOps& files, const std::string& path) {
  const std::string name = free_name(path, kReplaced);
  files.rename(path, name);
  return name;
}

bool is_of_run(const std::string& path, const std::string& run_id) {
  const std::string manifest = concat(path, "/", kManifestName);
  try {
    return parse_manifest(read_file(manifest), manifest).run_id == run_id;
  } catch (const Error&) {
    return false;
  }
}

bool is_as_saved(const std::string& checkpoint, const Manifest& manifest) {
  return std::all_of(fs::directory_iterator(checkpoint), fs::directory_iterator(), [&](const auto& entry) {
    if (entry.is_symlink() || !entry.is_regular_file()) return false;
    const std::string name = entry.path().filename().string();
    if (name == kManifestName) return true;
    const FileEntry* file = manifest.find_file(name);
    return file != nullptr && file->bytes == static_cast<int64_t>(entry.file_size());
  });
}

void discard(FileOps& files, const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  const std::string trash = concat(parent.string(), "/.trash-", fs::path(path).filename().string(), ".", unique_name());
  files.rename(path, trash);
  files.sync_directory(parent.string());
  files.remove_all(trash);
}

std::string unique_name() {
  std::random_device device;
  return hex_of(device()) + hex_of(device());
}

}  // namespace sft
