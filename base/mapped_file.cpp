// The signal handler finds the mapping in a list whose entries are never freed, only used again, and puts a page of
// zeros in the place of the one that is gone. It calls mmap alone, which is one system call and takes no lock of ours.
#include "base/mapped_file.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/errors.h"
#include "base/input_file.h"
#include "base/text.h"

namespace sft {
namespace {

const auto kPage = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));

std::mutex list_mutex;            // of who adds and removes; the handler takes none
std::atomic<int> num_damaged{0};  // mappings of which a page was gone
struct sigaction handled_before;

}  // namespace

// An entry of the list; free while `end` is 0.
struct MappedFile::Watched {
  std::atomic<uintptr_t> begin{0}, end{0};
  std::atomic<bool> is_damaged{false};
  const std::string* name = nullptr;
  Watched* next = nullptr;

  static std::atomic<Watched*> first;
};

std::atomic<MappedFile::Watched*> MappedFile::Watched::first{nullptr};

void MappedFile::on_bus_error(int signal, siginfo_t* info, void* /*context*/) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (Watched* entry = Watched::first.load(); entry != nullptr; entry = entry->next) {
    if (address < entry->begin.load() || address >= entry->end.load()) continue;
    void* const page = reinterpret_cast<void*>(address / kPage * kPage);
    if (::mmap(page, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) break;
    if (!entry->is_damaged.exchange(true)) num_damaged.fetch_add(1);
    return;
  }
  // Not ours. A fault comes again when this returns, and meets who was there before; what a process sent does not.
  sigaction(signal, &handled_before, nullptr);
  if (info->si_code <= 0) ::raise(signal);
}

MappedFile::Watched* MappedFile::watch(const void* begin, size_t bytes, const std::string& name) {
  const std::lock_guard lock(list_mutex);
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    return sigaction(SIGBUS, &action, &handled_before) == 0;
  }();
  (void)installed;
  Watched* entry = Watched::first.load();
  while (entry != nullptr && entry->end.load() != 0) entry = entry->next;
  if (entry == nullptr) {
    entry = new Watched;
    entry->next = Watched::first.load();
    Watched::first.store(entry);
  }
  entry->name = &name;
  entry->begin.store(reinterpret_cast<uintptr_t>(begin));
  entry->end.store(reinterpret_cast<uintptr_t>(begin) + bytes);
  return entry;
}

MappedFile::MappedFile(int descriptor, int64_t offset, int64_t bytes, std::string name)
    : name_(std::move(name)), size_(bytes) {
  map(descriptor, offset);
}

MappedFile::MappedFile(const std::string& path) : name_(path) {
  const InputFile file(path);
  size_ = file.size();
  ::fstat(file.descriptor(), &opened_);
  if (size_ > 0) map(file.descriptor(), 0);
}

void MappedFile::map(int descriptor, int64_t offset) {
  const auto skipped = offset % static_cast<int64_t>(kPage);
  mapped_bytes_ = static_cast<size_t>(size_ + skipped);
  mapping_ = ::mmap(nullptr, mapped_bytes_, PROT_READ, MAP_SHARED, descriptor, offset - skipped);
  if (mapping_ == MAP_FAILED) {
    const std::string what = concat(name_, ": cannot be mapped: ", std::generic_category().message(errno));
    if (errno == ENOMEM) throw Error(ExitCode::out_of_memory, what);
    throw DataError(what);
  }
  data_ = static_cast<const std::byte*>(mapping_) + skipped;
  watched_ = watch(mapping_, mapped_bytes_, name_);
}

MappedFile::~MappedFile() {
  if (watched_ == nullptr) return;
  const std::lock_guard lock(list_mutex);
  watched_->end.store(0);
  if (watched_->is_damaged.exchange(false)) num_damaged.fetch_sub(1);
  ::munmap(mapping_, mapped_bytes_);
}

bool MappedFile::is_unchanged() const {
  struct stat now = {};
  if (::stat(name_.c_str(), &now) != 0 || now.st_dev != opened_.st_dev || now.st_ino != opened_.st_ino) return true;
  return now.st_size == opened_.st_size && now.st_mtim.tv_sec == opened_.st_mtim.tv_sec &&
         now.st_mtim.tv_nsec == opened_.st_mtim.tv_nsec;
}

void require_mapped_files_whole() {
  if (num_damaged.load(std::memory_order_relaxed) == 0) [[likely]]
    return;
  const std::lock_guard lock(list_mutex);
  for (auto* entry = MappedFile::Watched::first.load(); entry != nullptr; entry = entry->next)
    if (entry->is_damaged.load())
      throw DataError(concat(*entry->name, ": the file was cut short, or its disk failed, while it was in use"));
}

}  // namespace sft
