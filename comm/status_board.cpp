#include "comm/status_board.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/errors.h"
#include "base/text.h"
#include "comm/agree.h"

namespace sft {
namespace {

[[noreturn]] void fail(std::string_view operation) {
  throw CommError(concat("the status board of this host: ", operation, ": ", std::strerror(errno)));
}

struct Descriptor {
  explicit Descriptor(int opened) : number(opened) {}
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number;
};

// Memory without a name, filled with zeros: that is how a Status begins.
int create_memory(size_t bytes) {
  const int descriptor = memfd_create("sft-dist status", MFD_CLOEXEC);
  if (descriptor < 0) fail("memfd_create");
  if (ftruncate(descriptor, static_cast<off_t>(bytes)) != 0) fail("ftruncate");
  return descriptor;
}

}  // namespace

StatusBoard::StatusBoard(Communicator& control, const std::string& host) {
  const std::vector<std::string> hosts = gather_all(control, host);
  std::vector<int> neighbours;
  for (int rank = 0; rank < control.size(); ++rank) {
    const std::string& name = hosts[static_cast<size_t>(rank)];
    if (name == host)
      neighbours.push_back(rank);
    else if (std::ranges::find(other_hosts_, name) == other_hosts_.end())
      other_hosts_.push_back(name);
  }
  bytes_ = neighbours.size() * sizeof(Status);

  // The lowest rank of the host creates the memory; the others open it through its process.
  const int first = neighbours.front();
  std::string path;
  std::unique_ptr<Descriptor> memory;
  together(control, [&] {
    if (control.rank() != first) return;
    memory = std::make_unique<Descriptor>(create_memory(bytes_));
    path = concat("/proc/", getpid(), "/fd/", memory->number);
  });
  path = gather_all(control, path)[static_cast<size_t>(first)];
  together(control, [&] {
    if (!memory) memory = std::make_unique<Descriptor>(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (memory->number < 0) fail("open " + path);
    memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, memory->number, 0);
    if (memory_ == MAP_FAILED) fail("mmap");
  });

  auto* const all = static_cast<Status*>(memory_);
  for (size_t i = 0; i < neighbours.size(); ++i) lines_.push_back({neighbours[i], all + i});
  mine_ = all + (std::ranges::find(neighbours, control.rank()) - neighbours.begin());
}

StatusBoard::~StatusBoard() {
  if (memory_) munmap(memory_, bytes_);
}

}  // namespace sft
