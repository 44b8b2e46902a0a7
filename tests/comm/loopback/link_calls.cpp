// Links and their collectives.
#include <exception>
#include <map>
#include <mutex>

#include "tests/comm/loopback/calls.h"
#include "tests/comm/loopback/links.h"

namespace sft::test::loopback {
namespace {

using nccl::Address;
using nccl::Link;
using nccl::Stream;

enum LinkError : int { kLinkSound = 0, kSystem = 2, kInvalidArgument = 4, kRemote = 6 };

LoopbackLink& link_of(Link link) { return *reinterpret_cast<LoopbackLink*>(link); }

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

int make_address(Address* address) {
  *address = MeetingPlace::make();
  return kLinkSound;
}

int connect(Link* link, int size, const Address& address, int rank) {
  if (size > kMostRanks) return kInvalidArgument;
  touch(device_of_thread());
  try {
    *link = keep(std::make_shared<LoopbackLink>(address, device_of_thread(), rank, size));
  } catch (const std::exception&) {
    return kSystem;
  }
  return kLinkSound;
}

int split(Link link, int color, int key, Link* part) {
  *part = keep(link_of(link).split(color, key));
  return kLinkSound;
}

int async_error(Link link, int* error) {
  *error = link_of(link).lost_reason().empty() ? kLinkSound : kRemote;
  return kLinkSound;
}

int destroy(Link link) {
  take(link)->wait_until_done();
  return kLinkSound;
}

int abort_link(Link link) {
  const auto aborted = take(link);
  aborted->abort();
  aborted->wait_until_done();
  return kLinkSound;
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
  return kLinkSound;
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

void fill_link_calls(nccl::DeviceTable& table) {
  table.make_address = make_address;
  table.connect = connect;
  table.split = split;
  table.async_error = async_error;
  table.destroy = destroy;
  table.abort = abort_link;
  table.link_error_text = link_error_text;
  table.last_words = last_words;
  table.all_reduce = all_reduce;
  table.reduce_scatter = reduce_scatter;
  table.all_gather = all_gather;
  table.broadcast = broadcast;
}

}  // namespace sft::test::loopback
