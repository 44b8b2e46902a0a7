// What the communicator of GPUs asks of a device, and of what joins devices, as one table of functions (decision 040).
// libsft_cuda.so fills it with CUDA's and NCCL's; tests with a device made of threads (tests/comm/loopback). What puts
// calls in order, holds memory and watches is compiled and run on any machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "comm/communicator.h"

namespace sft::nccl {

// Handles of whoever fills the table.
using Stream = struct StreamOfTable*;  // work in order, beside that of other streams; of one device
using Event = struct EventOfTable*;    // a point in a stream; of the device that was the thread's when it was made
using Link = struct LinkOfTable*;      // one rank's end of what joins the devices of some ranks

using Address = std::array<char, 128>;  // of a link that is being made
using Uuid = std::array<unsigned char, 16>;

// Calls that take a stream return once the work is queued there. All that return an int return an error code, 0 where
// it worked: CUDA's, and NCCL's where a link is concerned.
struct DeviceTable {
  static constexpr uint64_t kLayout = 1;  // raised by every change here: a table of another build is refused
  uint64_t layout = kLayout;

  // Devices, by their numbers among those that this process sees.
  int (*count_devices)(int* count) = nullptr;  // none: 0
  int (*uuid_of)(int device, Uuid* uuid) = nullptr;
  int (*device)(int* device) = nullptr;  // of the calling thread
  int (*set_device)(int device) = nullptr;
  int (*return_to)(int device) = nullptr;  // the thread's before; makes no context there where there was none
  const char* (*error_text)(int error) = nullptr;

  Stream (*current_stream)(int device) = nullptr;  // where what the calling thread computes is queued
  Stream (*other_stream)(int device) = nullptr;    // one beside it; never freed
  int (*synchronize)(Stream stream) = nullptr;     // the calling thread waits for all that is queued there

  int (*make_event)(Event* event) = nullptr;
  int (*record)(Event event, Stream stream) = nullptr;         // anew: whoever waits for the point before goes on to
  int (*hold)(Stream stream, Event event) = nullptr;           // the stream waits for the point recorded last
  int (*has_happened)(Event event, bool* happened) = nullptr;  // from any thread
  int (*free_event)(Event event) = nullptr;                    // who waits for it still does

  int (*allocate)(void** memory, size_t bytes, Stream stream) = nullptr;
  int (*copy)(void* to, const void* from, size_t bytes, Stream stream) = nullptr;  // device and host, as pointers say
  int (*free)(void* memory, Stream stream) = nullptr;

  // Links. All ranks connect, split and destroy together; one that aborts leaves the others alone.
  int (*make_address)(Address* address) = nullptr;  // on one rank, which gives it to the others
  int (*connect)(Link* link, int size, const Address& address, int rank) = nullptr;
  int (*split)(Link link, int color, int key, Link* part) = nullptr;
  int (*async_error)(Link link, int* error) = nullptr;  // of a call that had returned; from any thread
  int (*destroy)(Link link) = nullptr;                  // waits for what is queued
  int (*abort)(Link link) = nullptr;                    // ends what is queued as it is
  const char* (*link_error_text)(int error) = nullptr;
  const char* (*last_words)(Link link) = nullptr;  // more about the last error

  // In place where there is one buffer; by sum where none is said. Counts are of elements, `shard`'s of a shard.
  int (*all_reduce)(Link link, Buffer values, Reduction how, Stream stream) = nullptr;
  int (*reduce_scatter)(Link link, const void* values, Buffer shard, Stream stream) = nullptr;
  int (*all_gather)(Link link, Buffer shard, void* values, Stream stream) = nullptr;
  int (*broadcast)(Link link, Buffer values, int root, Stream stream) = nullptr;
};

// The plugin's function that gives its table.
using GiveDeviceTable = const DeviceTable*();
inline constexpr const char* kGiveDeviceTable = "sft_cuda_device_table";

}  // namespace sft::nccl
