// Rank 0 reads the small files and hands them on as bytes, so all ranks judge the same manifest; the large
// ones are read by all ranks at once, each file by one.
#include "trainer/checkpoint/verify.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/failpoint.h"
#include "base/file_ops.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/checkpoint/strict_json.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// The system could not read, which says nothing of the content.
struct ReadFailure : DataError {
  using DataError::DataError;
};

// Tries for some seconds before a failure to read counts: on network file systems it passes, and the newest checkpoint
// is too dear to be set aside for it.
template <class Read>
auto read_patiently(const Read& read) {
  for (const auto pause : {100ms, 500ms, 2000ms}) {
    try {
      return read();
    } catch (const ReadFailure& error) {
      log::warn(concat(error.what(), "; it is tried again"));
      std::this_thread::sleep_for(pause);
    }
  }
  return read();
}

// Checksum of a file that must have `bytes` bytes. Read with read(2): a bad sector is an error here, and
// not a signal as it is in a mapping.
uint32_t checksum_of(const std::string& path, int64_t bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw ReadFailure(concat(path, ": cannot be opened: ", std::generic_category().message(errno)));
  try {
    failpoint("checkpoint.read");
  } catch (const StorageError& error) {
    ::close(descriptor);
    throw ReadFailure(error.what());
  }
  std::vector<char> buffer(1 << 20);
  uint32_t crc = 0;
  int64_t seen = 0;
  ssize_t got = 0;
  while ((got = ::read(descriptor, buffer.data(), buffer.size())) > 0 || (got < 0 && errno == EINTR)) {
    if (got < 0) continue;
    beat();
    crc = crc32c(buffer.data(), static_cast<size_t>(got), crc);
    seen += got;
  }
  const int reason = errno;
  ::close(descriptor);
  if (got < 0) throw ReadFailure(concat(path, ": cannot be read: ", std::generic_category().message(reason)));
  if (seen != bytes) throw DataError(concat(path, ": ", seen, " bytes where the manifest says ", bytes));
  return crc;
}

// A small file of the checkpoint. Here a file that cannot be read is bad content, not a bad config.
std::string content_of(const std::string& path) {
  try {
    return read_file(path);
  } catch (const ConfigError& error) {
    std::error_code ignored;
    if (fs::exists(path, ignored)) throw ReadFailure(error.what());
    throw DataError(error.what());
  }
}

void verify_sizes(const Manifest& manifest, const std::string& directory) {
  for (const FileEntry& file : manifest.files) {
    std::error_code missing;
    const std::string path = concat(directory, "/", file.name);
    const auto bytes = fs::file_size(path, missing);
    if (missing) throw DataError(concat(path, ": is in the manifest, but ", missing.message()));
    if (bytes != static_cast<uintmax_t>(file.bytes))
      throw DataError(
          concat(path, ": ", bytes, " bytes where the manifest says ", file.bytes, ": cut short or altered"));
  }
}

// Each file by one rank.
void verify_checksums(const std::vector<FileEntry>& files, const std::string& directory, Communicator& control) {
  together(control, [&] {
    for (size_t k = 0; k < files.size(); ++k) {
      if (static_cast<int>(k % static_cast<size_t>(control.size())) != control.rank()) continue;
      const std::string path = concat(directory, "/", files[k].name);
      if (read_patiently([&] { return checksum_of(path, files[k].bytes); }) != files[k].crc32c)
        throw DataError(concat(path, ": its checksum is not the manifest's: altered"));
    }
  });
}

}  // namespace

Verified verify_checkpoint(const std::string& directory, Communicator& control) {
  const std::string where = concat(directory, "/", kManifestName);
  std::string text, state_text;
  together(control, [&] {
    if (control.rank() != 0) return;
    text = read_patiently([&] { return content_of(where); });
    const Manifest manifest = parse_manifest(text, where);
    verify_sizes(manifest, directory);
    const std::string state_path = concat(directory, "/", kStateName);
    if (!manifest.find_file(kStateName)) throw DataError(concat(where, ": lists no ", kStateName));
    state_text = read_patiently([&] { return content_of(state_path); });
    if (crc32c(state_text.data(), state_text.size()) != manifest.state_digest)
      throw DataError(concat(state_path, ": its checksum is not the manifest's: altered"));
  });

  Verified verified;
  verified.manifest = parse_manifest(broadcast_from(control, text), where);
  verified.state = parse_strict_json(broadcast_from(control, state_text), concat(directory, "/", kStateName));
  verify_checksums(verified.manifest.files, directory, control);
  return verified;
}

void verify_weights(const std::string& directory, Communicator& control) {
  const std::string where = concat(directory, "/", kManifestName);
  std::string text;
  together(control, [&] {
    if (control.rank() != 0 || !fs::exists(where)) return;
    text = read_patiently([&] { return content_of(where); });
    if (is_of_another_program(text)) text.clear();
    if (!text.empty()) parse_manifest(text, where);
  });
  text = broadcast_from(control, text);
  if (text.empty()) return;
  const Manifest manifest = parse_manifest(text, where);
  std::set<std::string> names;
  for (const TensorEntry& tensor : manifest.model)
    for (const FileSlice& slice : tensor.slices) names.insert(slice.file);
  std::vector<FileEntry> files;
  for (const std::string& name : names)
    if (const FileEntry* file = manifest.find_file(name)) files.push_back(*file);
  verify_checksums(files, directory, control);
}

}  // namespace sft
