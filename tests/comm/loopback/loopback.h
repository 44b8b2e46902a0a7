// A device table that needs no device (comm/nccl/device_table.h), so that all of the communicator of GPUs runs on any
// machine. Streams are threads; work starts when what it waits for is done, and the thread that queues it goes on.
// Memory is poisoned until it is written: when it is allocated, when it is freed, and while a collective makes what it
// leaves there. What CUDA would refuse is refused: memory of another device or that was freed, an event in the stream
// of another device. Links join ranks that are threads or processes of one host, over shared memory. Ranks that call
// different collectives wait for ever, as on GPUs.
//
// It shows that our own calls are right and in order. It knows nothing of a GPU's speed, of NVLink, or of NVIDIA's
// code.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "comm/nccl/device_table.h"

namespace sft::test::loopback {

inline constexpr int kDevices = 8;

// Of the devices 0 … 7 that each process has for itself.
const nccl::DeviceTable& table();

// The device that a rank takes in tests: another for each of 8 ranks, and not the rank's own number.
constexpr int device_of(int rank) { return (3 * rank + 1) % kDevices; }

// Work in a stream that lasts until it is opened.
class Gate {
 public:
  explicit Gate(nccl::Stream stream);
  ~Gate() { open(); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  void open();

 private:
  std::shared_ptr<bool> is_open_;
};

// A device whose driver is busy for as long as this lives: whoever asks for one of its events waits.
class BusyDriver {
 public:
  explicit BusyDriver(int device);
  ~BusyDriver();
  BusyDriver(const BusyDriver&) = delete;
  BusyDriver& operator=(const BusyDriver&) = delete;

 private:
  int device_;
};

// Returns once no stream of this process gets on by itself: each is done, or waits at a gate, for an event or for
// ranks.
void settle();

// Collectives that are begun on the device from now on never end; where there is a reason, it can be asked for.
void lose_link(int device, const std::string& reason = "");

// The devices that have been used, or on which a careless thread would have made a context.
std::set<int> touched_devices();

// How often threads of the host have waited for a device, by what for.
std::map<std::string, int64_t> host_waits();

// Takes back what went wrong with devices and links, and what was touched: between tests of one process.
void restart();

}  // namespace sft::test::loopback
