#include "tests/comm/loopback/memory.h"

#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "base/text.h"
#include "tests/comm/loopback/streams.h"

namespace sft::test::loopback {
namespace {

constexpr int kPoison = 0xff;                 // no number in any floating-point type, −1 or 255 in the others
constexpr size_t kMostBytesFreed = 64 << 20;  // kept, so that who uses them still is seen

struct Block {
  size_t bytes = 0;
  int device = 0;
  bool is_live = true;
  std::unique_ptr<std::byte[]> memory;
};

struct Memory {
  std::mutex mutex;
  std::map<const std::byte*, Block> blocks;  // by their first byte
  std::deque<const std::byte*> freed;
  size_t bytes_freed = 0;
};

Memory& memory() {
  static auto* const made = new Memory;
  return *made;
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
  const std::lock_guard lock(memory().mutex);
  const Block* const block = block_at(begin);
  if (!block) return may_be_host || refuse(concat("device ", device, " has used host memory"));
  if (!block->is_live) return refuse(concat("device ", device, " has used memory that was freed"));
  if (block->device != device) return refuse(concat("device ", device, " has used memory of device ", block->device));
  const Block* const last = block_at(static_cast<const std::byte*>(begin) + bytes - 1);
  return last == block || refuse(concat("device ", device, " has used memory beyond what was allocated"));
}

}  // namespace

void poison(void* begin, size_t bytes) {
  if (bytes > 0) std::memset(begin, kPoison, bytes);
}

void* allocate(size_t bytes, int device) {
  const size_t size = bytes > 0 ? bytes : 1;
  Block block{.bytes = size, .device = device, .is_live = true, .memory = std::make_unique<std::byte[]>(size)};
  std::byte* const first = block.memory.get();
  poison(first, size);
  const std::lock_guard lock(memory().mutex);
  memory().blocks.emplace(first, std::move(block));
  return first;
}

void release(void* begin) {
  const std::lock_guard lock(memory().mutex);
  Block* const block = block_at(begin);
  if (!block || block->memory.get() != begin || !block->is_live) return set_fault("what was never allocated was freed");
  poison(begin, block->bytes);
  block->is_live = false;
  memory().freed.push_back(block->memory.get());
  memory().bytes_freed += block->bytes;
  while (memory().bytes_freed > kMostBytesFreed) {
    const auto oldest = memory().blocks.find(memory().freed.front());
    memory().bytes_freed -= oldest->second.bytes;
    memory().blocks.erase(oldest);
    memory().freed.pop_front();
  }
}

bool is_of_host(const void* place) {
  const std::lock_guard lock(memory().mutex);
  return block_at(place) == nullptr;
}

bool is_of_device(const void* begin, size_t bytes, int device) { return is_usable(begin, bytes, device, false); }
bool can_be_copied(const void* begin, size_t bytes, int device) { return is_usable(begin, bytes, device, true); }

}  // namespace sft::test::loopback
