// Streams, events and gates of a process's loopback devices.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace sft::test::loopback {

// What all streams of this process know of one another, under one lock. Never destroyed: threads outlive main.
struct Machine {
  std::mutex mutex;
  std::condition_variable changed;  // by whatever anybody may wait for
  std::vector<class LoopbackStream*> streams;
  std::set<int> touched, busy;
  std::string fault;                     // the first thing that a device was asked and no device can do
  std::map<std::string, int64_t> waits;  // of threads that are no streams, by their reason

  void notify(const std::function<void()>& change);
};
Machine& machine();

void touch(int device);
void set_fault(const std::string& what);
std::string first_fault();  // "": none

class LoopbackStream {
 public:
  explicit LoopbackStream(int device);  // lives as long as the process

  int device() const { return device_; }
  int64_t push(std::function<void()> work);  // how many were pushed, with it
  void wait_until_done(const std::string& why);
  bool has_behind(int64_t place) const { return pushed_ > place; }  // under the machine's lock
  bool gets_on() const;  // under the machine's lock

  // From work in a stream: it lasts until the condition holds, which is asked under the machine's lock.
  static void hold_until(const std::function<bool()>& condition);
  // The same where `wait` waits for the condition by itself.
  static void held_until(const std::function<bool()>& condition, const std::function<void()>& wait);

 private:
  void run();

  int device_;
  std::deque<std::function<void()>> queue_;
  int64_t pushed_ = 0, done_ = 0;
  const std::function<bool()>* condition_ = nullptr;  // what the work now waits for
};

struct LoopbackEvent {
  int device;
  std::shared_ptr<bool> happened = std::make_shared<bool>(true);  // the point recorded last
  LoopbackStream* stream = nullptr;                               // where it was
  int64_t place = 0;
};

void record(LoopbackEvent& event, LoopbackStream& stream);
void hold(LoopbackStream& stream, const LoopbackEvent& event);
// A thread of the host waits: the device has work meanwhile, or it has none and stands still until the host is back.
void wait_for(const LoopbackEvent& event);

LoopbackStream& default_stream(int device);
LoopbackStream& next_stream(int device);  // one of a few beside it, in turns

}  // namespace sft::test::loopback
