// The functions of the loopback's table.
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <vector>

#include "tests/comm/loopback/links.h"
#include "tests/comm/loopback/loopback.h"
#include "tests/comm/loopback/memory.h"
#include "tests/comm/loopback/streams.h"

namespace sft::test::loopback {
namespace {

using nccl::Address;
using nccl::Event;
using nccl::Link;
using nccl::Stream;
using nccl::Uuid;

enum Error : int { kNone = 0, kInvalidDevice = 101, kInvalidHandle = 400, kIllegalAccess = 700 };
enum LinkError : int { kSystem = 2, kInvalidArgument = 4, kRemote = 6 };

thread_local int device_of_thread = 0;

LoopbackStream& stream_of(Stream stream) { return *reinterpret_cast<LoopbackStream*>(stream); }
LoopbackEvent& event_of(Event event) { return *reinterpret_cast<LoopbackEvent*>(event); }
LoopbackLink& link_of(Link link) { return *reinterpret_cast<LoopbackLink*>(link); }
Stream handle_of(LoopbackStream& stream) { return reinterpret_cast<Stream>(&stream); }

int result() { return has_fault() ? kIllegalAccess : kNone; }

// The links of this process that are neither destroyed nor aborted.
struct Links {
  std::mutex mutex;
  std::map<Link, std::shared_ptr<LoopbackLink>> open;
};
Links& links() {
  static auto* const made = new Links;
  return *made;
}

Link keep(std::shared_ptr<LoopbackLink> link) {
  const auto handle = reinterpret_cast<Link>(link.get());
  const std::lock_guard lock(links().mutex);
  links().open.emplace(handle, std::move(link));
  return handle;
}

std::shared_ptr<LoopbackLink> take(Link link) {
  const std::lock_guard lock(links().mutex);
  return links().open.extract(link).mapped();
}

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
  *device = device_of_thread;
  return kNone;
}

int return_to(int device) {
  if (device < 0 || device >= kDevices) return kInvalidDevice;
  device_of_thread = device;
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
  stream_of(stream).wait_until_done();
  return result();
}

int make_event(Event* event) {
  touch(device_of_thread);
  *event = reinterpret_cast<Event>(new LoopbackEvent{.device = device_of_thread});
  return result();
}

int record_event(Event event, Stream stream) {
  if (event_of(event).device != stream_of(stream).device()) return kInvalidHandle;
  record(event_of(event), stream_of(stream));
  return result();
}

int hold_stream(Stream stream, Event event) {
  hold(stream_of(stream), event_of(event));
  return result();
}

int has_happened(Event event, bool* happened) {
  touch(device_of_thread);
  const std::lock_guard lock(machine().mutex);
  *happened = *event_of(event).happened;
  return kNone;
}

int free_event(Event event) {
  delete &event_of(event);
  return kNone;
}

int allocate_memory(void** memory, size_t bytes, Stream stream) {
  *memory = allocate(bytes, stream_of(stream).device());
  return result();
}

void copy_in(LoopbackStream& stream, void* to, const void* from, size_t bytes) {
  const int device = stream.device();
  if (bytes > 0 && can_be_copied(from, bytes, device) && can_be_copied(to, bytes, device)) std::memcpy(to, from, bytes);
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

int make_address(Address* address) {
  *address = MeetingPlace::make();
  return kNone;
}

int connect(Link* link, int size, const Address& address, int rank) {
  if (size > kMostRanks) return kInvalidArgument;
  touch(device_of_thread);
  try {
    *link = keep(std::make_shared<LoopbackLink>(address, device_of_thread, rank, size));
  } catch (const std::exception&) {
    return kSystem;
  }
  return kNone;
}

int split(Link link, int color, int key, Link* part) {
  *part = keep(link_of(link).split(color, key));
  return kNone;
}

int async_error(Link link, int* error) {
  *error = link_of(link).lost_reason().empty() ? 0 : kRemote;
  return kNone;
}

int destroy(Link link) {
  take(link)->wait_until_done();
  return kNone;
}

int abort_link(Link link) {
  const auto aborted = take(link);
  aborted->abort();
  aborted->wait_until_done();
  return kNone;
}

const char* link_error_text(int error) {
  return error == kRemote ? "remote process exited or there was a network error" : "invalid argument";
}

const char* last_words(Link link) {
  thread_local std::string words;
  words = link ? link_of(link).lost_reason() : "";
  return words.c_str();
}

int queue(Link link, const Call& call, const void* in, void* out, Stream stream) {
  if (link_of(link).device() != stream_of(stream).device()) return kInvalidArgument;
  link_of(link).queue(stream_of(stream), call, in, out);
  return kNone;
}

int all_reduce(Link link, Buffer values, Reduction how, Stream stream) {
  const Call call{.kind = Call::Kind::all_reduce, .element = values.element, .how = how, .count = values.count};
  return queue(link, call, values.data, values.data, stream);
}
int reduce_scatter(Link link, const void* values, Buffer shard, Stream stream) {
  const Call call{.kind = Call::Kind::reduce_scatter, .element = shard.element, .count = shard.count};
  return queue(link, call, values, shard.data, stream);
}
int all_gather(Link link, Buffer shard, void* values, Stream stream) {
  const Call call{.kind = Call::Kind::all_gather, .element = shard.element, .count = shard.count};
  return queue(link, call, shard.data, values, stream);
}
int broadcast(Link link, Buffer values, int root, Stream stream) {
  const Call call{.kind = Call::Kind::broadcast, .element = values.element, .root = root, .count = values.count};
  return queue(link, call, values.data, values.data, stream);
}

}  // namespace

void restart() {
  machine().notify([] {
    machine().fault.clear();
    machine().touched.clear();
    restore_links();
  });
}

const nccl::DeviceTable& table() {
  static const nccl::DeviceTable filled{.count_devices = count_devices,
                                        .uuid_of = uuid_of,
                                        .device = device,
                                        .set_device = set_device,
                                        .return_to = return_to,
                                        .error_text = error_text,
                                        .current_stream = current_stream,
                                        .other_stream = other_stream,
                                        .synchronize = synchronize,
                                        .make_event = make_event,
                                        .record = record_event,
                                        .hold = hold_stream,
                                        .has_happened = has_happened,
                                        .free_event = free_event,
                                        .allocate = allocate_memory,
                                        .copy = copy,
                                        .free = free_memory,
                                        .make_address = make_address,
                                        .connect = connect,
                                        .split = split,
                                        .async_error = async_error,
                                        .destroy = destroy,
                                        .abort = abort_link,
                                        .link_error_text = link_error_text,
                                        .last_words = last_words,
                                        .all_reduce = all_reduce,
                                        .reduce_scatter = reduce_scatter,
                                        .all_gather = all_gather,
                                        .broadcast = broadcast};
  return filled;
}

}  // namespace sft::test::loopback
