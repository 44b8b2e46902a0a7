#include "tests/comm/loopback/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/text.h"
#include "tests/comm/loopback/streams.h"

extern "C" {
[[gnu::weak]] void __asan_poison_memory_region(const volatile void* begin, size_t bytes);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* begin, size_t bytes);
}

namespace sft::test::loopback {
namespace {

constexpr int kPoison = 0xff;                 // no number in any floating-point type, −1 or 255 in the others
constexpr size_t kMostBytesFreed = 64 << 20;  // kept, so that who uses them still is seen
constexpr size_t kPlace = 512;                // a block begins at a multiple of it, as CUDA's do
constexpr size_t kAddresses = size_t{1} << 34;

// Addresses for all devices, and the bytes at one distance from them.
struct Range {
  std::byte *first, *bytes;
};

std::byte* mapped(int protection) {
  void* const place =
      ::mmap(nullptr, kAddresses, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, /*fd=*/-1, 0);
  if (place == MAP_FAILED) throw std::runtime_error("no addresses for loopback devices");
  return static_cast<std::byte*>(place);
}

const Range& range() {
  static const Range made{mapped(PROT_NONE), mapped(PROT_READ | PROT_WRITE)};
  return made;
}

struct Block {
  size_t bytes = 0;
  int device = 0;
  bool is_live = true;
};

struct Memory {
  std::mutex mutex;
  std::map<const std::byte*, Block> blocks;  // by their first byte
  std::deque<std::byte*> freed;
  size_t bytes_freed = 0;
  std::map<size_t, std::vector<std::byte*>> unused;  // by their size: they were freed long ago
  size_t end = 0;                                    // of all places that were ever used
};

Memory& memory() {
  static auto* const made = new Memory;
  return *made;
}

// Behind each block there are some bytes that nobody may touch: poisoned, looked at when it is freed, and told to the
// address sanitizer where that is there.
size_t size_of(size_t bytes) { return (bytes / kPlace + 1) * kPlace; }

struct Behind {
  std::byte* begin;
  size_t bytes;
  Behind(std::byte* first, const Block& block)
      : begin(static_cast<std::byte*>(bytes_at(first)) + block.bytes), bytes(size_of(block.bytes) - block.bytes) {}

  void guard() const {
    std::memset(begin, kPoison, bytes);
    if (__asan_poison_memory_region) __asan_poison_memory_region(begin, bytes);
  }
  // Whether it was left alone; no longer guarded.
  bool was_left() const {
    if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(begin, bytes);
    return std::all_of(begin, begin + bytes, [](std::byte byte) { return byte == std::byte{kPoison}; });
  }
};

// A place that nobody uses; under the lock.
std::byte* place_for(size_t size) {
  std::vector<std::byte*>& unused = memory().unused[size];
  if (!unused.empty()) {
    std::byte* const place = unused.back();
    unused.pop_back();
    return place;
  }
  if (size > kAddresses - memory().end) throw std::runtime_error("loopback devices are out of memory");
  return range().first + std::exchange(memory().end, memory().end + size);
}

// The block that holds the place, or null; under the lock.
Block* block_at(const void* place) {
  auto& blocks = memory().blocks;
  const auto* const byte = static_cast<const std::byte*>(place);
  const auto next = blocks.upper_bound(byte);
  if (next == blocks.begin()) return nullptr;
  const auto found = std::prev(next);
  return byte < found->first + found->second.bytes ? &found->second : nullptr;
}

bool refuse(const std::string& what) {
  set_fault(what);
  return false;
}

bool is_usable(const void* begin, size_t bytes, int device, bool may_be_host) {
  if (bytes == 0) return true;
  if (is_of_host(begin)) return may_be_host || refuse(concat("device ", device, " has used host memory"));
  const std::lock_guard lock(memory().mutex);
  const Block* const block = block_at(begin);
  if (!block) return refuse(concat("device ", device, " has used memory that nobody allocated"));
  if (!block->is_live) return refuse(concat("device ", device, " has used memory that was freed"));
  if (block->device != device) return refuse(concat("device ", device, " has used memory of device ", block->device));
  const Block* const last = block_at(static_cast<const std::byte*>(begin) + bytes - 1);
  return last == block || refuse(concat("device ", device, " has used memory beyond what was allocated"));
}

}  // namespace

void* bytes_at(void* place) {
  return is_of_host(place) ? place : range().bytes + (static_cast<std::byte*>(place) - range().first);
}
const void* bytes_at(const void* place) { return bytes_at(const_cast<void*>(place)); }

void poison(void* begin, size_t bytes) {
  if (bytes > 0) std::memset(bytes_at(begin), kPoison, bytes);
}

void* allocate(size_t bytes, int device) {
  const std::lock_guard lock(memory().mutex);
  std::byte* const first = place_for(size_of(bytes));
  const Block block{.bytes = bytes > 0 ? bytes : 1, .device = device};
  poison(first, block.bytes);
  Behind(first, block).guard();
  memory().blocks.emplace(first, block);
  return first;
}

void release(void* begin) {
  const std::lock_guard lock(memory().mutex);
  auto* const first = static_cast<std::byte*>(begin);
  const auto found = memory().blocks.find(first);
  if (found == memory().blocks.end() || !found->second.is_live) return set_fault("what was never allocated was freed");
  if (!Behind(first, found->second).was_left()) set_fault("memory behind what was allocated was written");
  poison(first, found->second.bytes);
  found->second.is_live = false;
  memory().freed.push_back(first);
  memory().bytes_freed += found->second.bytes;
  while (memory().bytes_freed > kMostBytesFreed) {
    const auto oldest = memory().blocks.find(memory().freed.front());
    memory().bytes_freed -= oldest->second.bytes;
    memory().unused[size_of(oldest->second.bytes)].push_back(memory().freed.front());
    memory().blocks.erase(oldest);
    memory().freed.pop_front();
  }
}

bool is_of_host(const void* place) {
  const auto distance = reinterpret_cast<uintptr_t>(place) - reinterpret_cast<uintptr_t>(range().first);
  return distance >= kAddresses;
}

int device_of_memory(const void* place) {
  const std::lock_guard lock(memory().mutex);
  const Block* const block = block_at(place);
  if (!block) throw std::runtime_error("there is no device memory at this place");
  return block->device;
}

bool is_of_device(const void* begin, size_t bytes, int device) { return is_usable(begin, bytes, device, false); }
bool can_be_copied(const void* begin, size_t bytes, int device) { return is_usable(begin, bytes, device, true); }

}  // namespace sft::test::loopback
