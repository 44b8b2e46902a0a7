// A point in a stream that another stream, or a thread, can ask for.
#pragma once

#include "comm/nccl/check.h"

namespace sft::nccl {

class StreamPoint {
 public:
  // Of the calling thread's device.
  explicit StreamPoint(const DeviceTable& table) : table_(table) {
    check(table_, table_.device(&device_), "the thread's device");
    check(table_, table_.make_event(&event_), "make an event");
  }
  // Of any thread.
  ~StreamPoint() {
    int before = device_;
    table_.device(&before);
    table_.set_device(device_);
    table_.free_event(event_);
    table_.return_to(before);
  }
  StreamPoint(const StreamPoint&) = delete;
  StreamPoint& operator=(const StreamPoint&) = delete;

  void record(Stream stream) { check(table_, table_.record(event_, stream), "record an event"); }
  void hold(Stream stream) const { check(table_, table_.hold(stream, event_), "wait for an event"); }
  bool has_happened() const {
    bool happened = false;
    check(table_, table_.has_happened(event_, &happened), "ask for an event");
    return happened;
  }

 private:
  const DeviceTable& table_;
  int device_ = 0;
  Event event_ = nullptr;
};

}  // namespace sft::nccl
