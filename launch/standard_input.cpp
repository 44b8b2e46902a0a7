#include "launch/standard_input.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/stop_request.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr int kPatienceMs = 1000;

std::string ending_by(std::string_view start) {
  if (start.starts_with("\xEF\xBB\xBF")) start.remove_prefix(3);
  start.remove_prefix(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  if (start.starts_with('{') || start.starts_with('[')) return ".json";  // whose reader tells lines from documents
  return start.substr(0, start.find('\n')).find('\t') == start.npos ? ".csv" : ".tsv";
}

}  // namespace

std::string keep_standard_input(const std::string& directory) {
  const std::string path = directory + "/stdin";
  FileOps& files = real_files();
  const int file = files.create(path);
  std::vector<char> block(1 << 20);
  std::string start;
  int64_t size = 0;
  while (true) {
    leave_if_asked();
    // A read that waits is not ended by a signal (launch/signals.cpp), and gives no sign of life.
    pollfd ready{STDIN_FILENO, POLLIN, 0};
    if (::poll(&ready, 1, kPatienceMs) <= 0) continue;
    const ssize_t count = ::read(STDIN_FILENO, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw DataError("standard input cannot be read; under mpirun it is that of rank 0");
    if (count == 0) break;
    if (start.size() < block.size()) start.append(block.data(), static_cast<size_t>(count));
    files.write(file, block.data(), static_cast<size_t>(count), size, path);
    size += count;
  }
  files.close(file, path);
  if (size == 0) throw DataError("standard input is empty; wanted rows, or --input FILE");
  const std::string named = path + ending_by(start);
  files.rename(path, named);
  return named;
}

}  // namespace sft
