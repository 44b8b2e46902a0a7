// CUDA's model of execution on one thread of a host. The threads of a block are fibers: each runs until it ends or has
// to wait for others, at a barrier of the block or where the lanes of a warp exchange values; then the next one runs.
// Warps come one after the other as far as they get, first to last or last to first ($SFT_CUDA_ON_HOST_ORDER =
// "backwards"), as do their lanes and the blocks: what a barrier has to keep apart goes wrong without it in one of the
// two orders. Shared memory is poisoned before each block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace sft::test::on_host {

inline constexpr int kWarp = 32;

struct Index {
  unsigned x = 0, y = 0, z = 0;
};
struct Extents {
  unsigned x, y, z;
  Extents(unsigned of_x = 1, unsigned of_y = 1, unsigned of_z = 1) : x(of_x), y(of_y), z(of_z) {}
};

// Of the fiber that runs.
extern Index threadIdx, blockIdx;
extern Extents blockDim, gridDim;

struct Grid {
  Extents blocks, threads;
  size_t shared_bytes = 0;  // asked for by the launch

  // Why CUDA would not begin it; null where it would.
  const char* refusal() const;
};

// Runs `kernel` once for each thread of the grid; one grid at a time in a process. std::runtime_error where lanes of a
// warp part at an exchange.
void run_grid(const Grid& grid, const std::function<void()>& kernel);

// Shared memory that the launch asked for.
uint8_t* shared_of_launch();

// The calling fiber waits for all threads of its block that have not ended.
void sync_threads();

// Calls `exchange` once with the operands of all lanes of the warp, when each has come here with the same one.
using Exchange = void (*)(void* const* operands);
void meet(Exchange exchange, void* operand);

// std::runtime_error with the words where it is not so; to be called in an exchange.
void require(bool is_so, const char* otherwise);

}  // namespace sft::test::on_host
