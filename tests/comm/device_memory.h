// Memory of a device, for tests that queue work around collectives themselves.
#pragma once

#include <vector>

#include "comm/nccl/check.h"
#include "tests/comm/loopback/loopback.h"

namespace sft::test {

// `count` floats of a device's current stream.
class DeviceFloats {
 public:
  DeviceFloats(int device, size_t count, const nccl::DeviceTable& table = loopback::table())
      : table_(table), stream_(table.current_stream(device)), host_(count), bytes_(count * sizeof(float)) {
    nccl::check(table_, table_.allocate(&memory_, bytes_, stream_), "allocate");
  }
  ~DeviceFloats() { table_.free(memory_, stream_); }
  DeviceFloats(const DeviceFloats&) = delete;
  DeviceFloats& operator=(const DeviceFloats&) = delete;

  nccl::Stream stream() const { return stream_; }
  Buffer buffer() const { return {memory_, static_cast<int64_t>(host_.size()), Element::f32}; }

  // Both are queued; what they move is in host() when the stream has come there.
  void write(float value) {
    host_.assign(host_.size(), value);
    nccl::check(table_, table_.copy(memory_, host_.data(), bytes_, stream_), "copy");
  }
  void read() { nccl::check(table_, table_.copy(host_.data(), memory_, bytes_, stream_), "copy"); }

  void synchronize() const { nccl::check(table_, table_.synchronize(stream_), "synchronize"); }
  const std::vector<float>& host() const { return host_; }

 private:
  const nccl::DeviceTable& table_;
  nccl::Stream stream_;
  std::vector<float> host_;
  size_t bytes_;
  void* memory_ = nullptr;
};

}  // namespace sft::test
