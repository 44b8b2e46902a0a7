#include "tests/comm/loopback/streams.h"

#include <algorithm>
#include <array>
#include <thread>

#include "tests/comm/loopback/loopback.h"

namespace sft::test::loopback {
namespace {

constexpr int kStreamsBeside = 4;

thread_local LoopbackStream* stream_of_thread = nullptr;

struct StreamsOfDevice {
  LoopbackStream* first = nullptr;
  std::array<LoopbackStream*, kStreamsBeside> others{};
  size_t next = 0;
};

// Streams are made when they are first asked for.
LoopbackStream& stream_of(int device, const std::function<LoopbackStream*&(StreamsOfDevice&)>& choose) {
  static std::mutex mutex;
  static auto* const all = new std::array<StreamsOfDevice, kDevices>;
  const std::lock_guard lock(mutex);
  LoopbackStream*& stream = choose(all->at(static_cast<size_t>(device)));
  if (!stream) stream = new LoopbackStream(device);
  return *stream;
}

}  // namespace

Machine& machine() {
  static auto* const made = new Machine;
  return *made;
}

void Machine::notify(const std::function<void()>& change) {
  const std::lock_guard lock(mutex);
  change();
  changed.notify_all();
}

void touch(int device) {
  machine().notify([&] { machine().touched.insert(device); });
}

void set_fault(const std::string& what) {
  machine().notify([&] {
    if (machine().fault.empty()) machine().fault = what;
  });
}

std::string first_fault() {
  const std::lock_guard lock(machine().mutex);
  return machine().fault;
}

LoopbackStream::LoopbackStream(int device) : device_(device) {
  machine().notify([&] { machine().streams.push_back(this); });
  std::thread([this] { run(); }).detach();
}

int64_t LoopbackStream::push(std::function<void()> work) {
  int64_t pushed = 0;
  machine().notify([&] {
    queue_.push_back(std::move(work));
    pushed = ++pushed_;
  });
  return pushed;
}

void LoopbackStream::wait_until_done(const std::string& why) {
  std::unique_lock lock(machine().mutex);
  ++machine().waits[why];
  machine().changed.wait(lock, [&, end = pushed_] { return done_ >= end; });
}

bool LoopbackStream::gets_on() const { return done_ < pushed_ && !(condition_ && !(*condition_)()); }

void LoopbackStream::run() {
  stream_of_thread = this;
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(machine().mutex);
      machine().changed.wait(lock, [&] { return !queue_.empty(); });
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
    work = nullptr;
    machine().notify([&] { ++done_; });
  }
}

void LoopbackStream::hold_until(const std::function<bool()>& condition) {
  held_until(condition, [&] {
    std::unique_lock lock(machine().mutex);
    machine().changed.wait(lock, condition);
  });
}

void LoopbackStream::held_until(const std::function<bool()>& condition, const std::function<void()>& wait) {
  LoopbackStream& here = *stream_of_thread;
  machine().notify([&] { here.condition_ = &condition; });
  wait();
  machine().notify([&] { here.condition_ = nullptr; });
}

void record(LoopbackEvent& event, LoopbackStream& stream) {
  event.happened = std::make_shared<bool>(false);
  event.stream = &stream;
  event.place = stream.push([point = event.happened] { machine().notify([&] { *point = true; }); });
}

void wait_for(const LoopbackEvent& event) {
  std::unique_lock lock(machine().mutex);
  const bool has_work = event.stream != nullptr && event.stream->has_behind(event.place);
  ++machine().waits[has_work ? "an event with work behind it" : "an event"];
  machine().changed.wait(lock, [&] { return *event.happened; });
}

void hold(LoopbackStream& stream, const LoopbackEvent& event) {
  stream.push([point = event.happened] { LoopbackStream::hold_until([&] { return *point; }); });
}

LoopbackStream& default_stream(int device) {
  return stream_of(device, [](StreamsOfDevice& streams) -> LoopbackStream*& { return streams.first; });
}

LoopbackStream& next_stream(int device) {
  return stream_of(device, [](StreamsOfDevice& streams) -> LoopbackStream*& {
    return streams.others.at(streams.next++ % kStreamsBeside);
  });
}

Gate::Gate(nccl::Stream stream) : is_open_(std::make_shared<bool>(false)) {
  reinterpret_cast<LoopbackStream*>(stream)->push(
      [is_open = is_open_] { LoopbackStream::hold_until([&] { return *is_open; }); });
}

void Gate::open() {
  machine().notify([&] { *is_open_ = true; });
}

BusyDriver::BusyDriver(int device) : device_(device) {
  machine().notify([&] { machine().busy.insert(device_); });
}

BusyDriver::~BusyDriver() {
  machine().notify([&] { machine().busy.erase(device_); });
}

void settle() {
  std::unique_lock lock(machine().mutex);
  machine().changed.wait(lock, [] {
    return std::ranges::none_of(machine().streams, [](const LoopbackStream* stream) { return stream->gets_on(); });
  });
}

std::map<std::string, int64_t> host_waits() {
  const std::lock_guard lock(machine().mutex);
  return machine().waits;
}

std::set<int> touched_devices() {
  const std::lock_guard lock(machine().mutex);
  return machine().touched;
}

}  // namespace sft::test::loopback
