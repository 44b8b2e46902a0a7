// Devices, streams, events and memory.
#include <cstring>
#include <vector>

#include "tests/comm/loopback/calls.h"
#include "tests/comm/loopback/loopback.h"
#include "tests/comm/loopback/memory.h"

namespace sft::test::loopback {
namespace {

using nccl::Event;
using nccl::Stream;
using nccl::Uuid;

enum Error : int { kNone = 0, kInvalidDevice = 101, kInvalidHandle = 400, kIllegalAccess = 700 };

thread_local int current_device = 0;

LoopbackEvent& event_of(Event event) { return *reinterpret_cast<LoopbackEvent*>(event); }
Stream handle_of(LoopbackStream& stream) { return reinterpret_cast<Stream>(&stream); }

int result() { return first_fault().empty() ? kNone : kIllegalAccess; }

int count_devices(int* count) {
  *count = kDevices;
  return kNone;
}

int uuid_of(int device, Uuid* uuid) {
  if (device < 0 || device >= kDevices) return kInvalidDevice;
  uuid->fill(static_cast<unsigned char>(0xa0 + device));
  return kNone;
}

int device(int* device) {
  *device = current_device;
  return kNone;
}

int return_to(int device) {
  if (device < 0 || device >= kDevices) return kInvalidDevice;
  current_device = device;
  return kNone;
}

int set_device(int device) {
  const int error = return_to(device);
  if (error == kNone) touch(device);
  return error;
}

const char* error_text(int error) {
  if (error != kIllegalAccess) return error == kInvalidDevice ? "invalid device" : "invalid resource handle";
  const std::lock_guard lock(machine().mutex);
  return machine().fault.c_str();
}

Stream current_stream(int device) { return handle_of(default_stream(device)); }
Stream other_stream(int device) { return handle_of(next_stream(device)); }

int synchronize(Stream stream) {
  stream_of(stream).wait_until_done("a stream");
  return result();
}

int make_event(Event* event) {
  touch(current_device);
  const int error = result();
  if (error == kNone) *event = reinterpret_cast<Event>(new LoopbackEvent{.device = current_device});
  return error;
}

int record_event(Event event, Stream stream) {
  touch(current_device);
  if (event_of(event).device != stream_of(stream).device()) return kInvalidHandle;
  record(event_of(event), stream_of(stream));
  return result();
}

int hold_stream(Stream stream, Event event) {
  touch(current_device);
  hold(stream_of(stream), event_of(event));
  return result();
}

int has_happened(Event event, bool* happened) {
  touch(current_device);
  const int error = result();
  std::unique_lock lock(machine().mutex);
  machine().changed.wait(lock, [&] { return !machine().busy.contains(event_of(event).device); });
  *happened = *event_of(event).happened;
  return error;
}

int free_event(Event event) {
  touch(current_device);
  delete &event_of(event);
  return kNone;
}

int allocate_memory(void** memory, size_t bytes, Stream stream) {
  *memory = allocate(bytes, stream_of(stream).device());
  return result();
}

void copy_in(LoopbackStream& stream, void* to, const void* from, size_t bytes) {
  const int device = stream.device();
  if (bytes > 0 && can_be_copied(from, bytes, device) && can_be_copied(to, bytes, device))
    std::memcpy(bytes_at(to), bytes_at(from), bytes);
}

// What lies in host memory is taken at once, as CUDA does.
int copy(void* to, const void* from, size_t bytes, Stream stream) {
  LoopbackStream& in = stream_of(stream);
  if (is_of_host(from)) {
    const auto* const first = static_cast<const std::byte*>(from);
    in.push([&in, to, taken = std::vector<std::byte>(first, first + bytes)] {
      copy_in(in, to, taken.data(), taken.size());
    });
  } else {
    in.push([&in, to, from, bytes] { copy_in(in, to, from, bytes); });
  }
  return result();
}

int free_memory(void* memory, Stream stream) {
  stream_of(stream).push([memory] { release(memory); });
  return result();
}

}  // namespace

int device_of_thread() { return current_device; }

void fill_device_calls(nccl::DeviceTable& table) {
  table.count_devices = count_devices;
  table.uuid_of = uuid_of;
  table.device = device;
  table.set_device = set_device;
  table.return_to = return_to;
  table.error_text = error_text;
  table.current_stream = current_stream;
  table.other_stream = other_stream;
  table.synchronize = synchronize;
  table.make_event = make_event;
  table.record = record_event;
  table.hold = hold_stream;
  table.has_happened = has_happened;
  table.free_event = free_event;
  table.allocate = allocate_memory;
  table.copy = copy;
  table.free = free_memory;
}

}  // namespace sft::test::loopback
