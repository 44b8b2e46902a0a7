#include "tests/cuda_on_host/block.h"

#include <cstdlib>
#include <memory>
#include <mutex>
#include <ranges>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "tests/cuda_on_host/fiber.h"
#include "tests/cuda_on_host/shared_memory.h"

namespace sft::test::on_host {

Index threadIdx, blockIdx;
Extents blockDim, gridDim;

namespace {

enum class Stop { none, barrier, exchange, end };

struct Thread {
  Fiber fiber;
  Index index;
  Stop stop = Stop::none;
  Exchange exchange = nullptr;
  void* operand = nullptr;

  void run() {
    stop = Stop::none;
    threadIdx = index;
    fiber.enter();
  }
};

// Kept from block to block, and until the process ends: stacks are dear.
auto& threads = *new std::vector<std::unique_ptr<Thread>>;

Thread* now = nullptr;
const std::function<void()>* body = nullptr;
std::vector<uint8_t> asked_for;  // of shared memory, by the launch

const bool is_backwards = [] {
  const char* const order = std::getenv("SFT_CUDA_ON_HOST_ORDER");
  return order && std::string_view(order) == "backwards";
}();

// 0 … count − 1 in the order that was asked for.
template <class Each>
void in_order(int64_t count, Each each) {
  for (int64_t i = 0; i < count; ++i) each(is_backwards ? count - 1 - i : i);
}

void stop_here(Stop stop) {
  now->stop = stop;
  Fiber::leave();
}

// The lanes of a warp until each has ended or is at the block's barrier.
void run_warp(int64_t first, int64_t end) {
  const auto lane = [&](int64_t i) -> Thread& { return *threads[static_cast<size_t>(first + i)]; };
  for (int64_t meeting = 1; meeting > 0;) {
    meeting = 0;
    in_order(end - first, [&](int64_t i) {
      now = &lane(i);
      if (now->stop == Stop::none || now->stop == Stop::exchange) now->run();
      meeting += now->stop == Stop::exchange ? 1 : 0;
    });
    if (meeting == 0) return;
    require(meeting == kWarp, "lanes of a warp are missing where the others exchange values");
    void* operands[kWarp];
    for (int i = 0; i < kWarp; ++i) {
      require(lane(i).exchange == lane(0).exchange, "lanes of a warp exchange different things");
      operands[i] = lane(i).operand;
    }
    lane(0).exchange(operands);
  }
}

void run_block(int64_t num_threads) {
  poison_shared_memory();
  std::ranges::fill(asked_for, uint8_t{0xff});
  for (int64_t i = 0; i < num_threads; ++i) {
    Thread& thread = *threads[static_cast<size_t>(i)];
    thread.stop = Stop::none;
    thread.fiber.begin([] { (*body)(), now->stop = Stop::end; });
  }
  for (bool goes_on = true; goes_on;) {
    in_order((num_threads + kWarp - 1) / kWarp,
             [&](int64_t warp) { run_warp(warp * kWarp, std::min(num_threads, (warp + 1) * kWarp)); });
    goes_on = false;
    for (const auto& thread : threads | std::views::take(num_threads))
      if (thread->stop == Stop::barrier) goes_on = true, thread->stop = Stop::none;
  }
}

}  // namespace

const char* Grid::refusal() const {
  constexpr unsigned kMostOfYAndZ = 65535, kMostThreads = 1024;
  constexpr size_t kMostShared = 48 << 10;
  const size_t num_threads = size_t{threads.x} * threads.y * threads.z;
  if (size_t{blocks.x} * blocks.y * blocks.z == 0 || num_threads == 0 || num_threads > kMostThreads ||
      blocks.y > kMostOfYAndZ || blocks.z > kMostOfYAndZ)
    return "invalid configuration argument";
  return shared_bytes > kMostShared ? "invalid argument" : nullptr;
}

void run_grid(const Grid& grid, const std::function<void()>& kernel) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  body = &kernel;
  gridDim = grid.blocks;
  blockDim = grid.threads;
  asked_for = std::vector<uint8_t>(grid.shared_bytes);
  const int64_t num_threads = int64_t{blockDim.x} * blockDim.y * blockDim.z;
  while (std::ssize(threads) < num_threads) threads.push_back(std::make_unique<Thread>());
  for (int64_t i = 0; i < num_threads; ++i) {
    const auto at = static_cast<unsigned>(i);
    threads[at]->index = {at % blockDim.x, at / blockDim.x % blockDim.y, at / blockDim.x / blockDim.y};
  }
  in_order(int64_t{gridDim.x} * gridDim.y * gridDim.z, [&](int64_t i) {
    const auto at = static_cast<unsigned>(i);
    blockIdx = {at % gridDim.x, at / gridDim.x % gridDim.y, at / gridDim.x / gridDim.y};
    run_block(num_threads);
  });
}

uint8_t* shared_of_launch() { return asked_for.data(); }

void sync_threads() { stop_here(Stop::barrier); }

void meet(Exchange exchange, void* operand) {
  now->exchange = exchange;
  now->operand = operand;
  stop_here(Stop::exchange);
}

void require(bool is_so, const char* otherwise) {
  if (!is_so) throw std::runtime_error(otherwise);
}

}  // namespace sft::test::on_host
