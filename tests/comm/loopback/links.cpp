#include "tests/comm/loopback/links.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/errors.h"
#include "comm/combine.h"
#include "tests/comm/loopback/memory.h"

namespace sft::test::loopback {
namespace {

constexpr int64_t kWidest = 8;  // bytes of an element

// Why collectives of a device never end, where it has lost its link; under the machine's lock.
std::map<int, std::string>& lost_links() {
  static auto* const lost = new std::map<int, std::string>;
  return *lost;
}

std::optional<std::string> why_lost(int device) {
  const std::lock_guard lock(machine().mutex);
  const auto found = lost_links().find(device);
  return found == lost_links().end() ? std::nullopt : std::optional(found->second);
}

int64_t elements_in(const Call& call, int size) {
  return call.kind == Call::Kind::reduce_scatter ? call.count * size : call.count;
}
int64_t elements_out(const Call& call, int size) {
  return call.kind == Call::Kind::all_gather ? call.count * size : call.count;
}

}  // namespace

void lose_link(int device, const std::string& reason) {
  machine().notify([&] { lost_links()[device] = reason; });
}

void restore_links() { lost_links().clear(); }

LoopbackLink::LoopbackLink(const nccl::Address& address, int device, int rank, int size)
    : place_(address), device_(device), rank_(rank), size_(size) {
  meet_on_host();
  if (rank_ == 0) MeetingPlace::close_made(address);
}

std::string LoopbackLink::lost_reason() const { return why_lost(device_).value_or(""); }

void LoopbackLink::meet_on_host() {
  MeetingPlace::Barrier& barrier = place_.shared().of_hosts;
  place_.wait(barrier, place_.arrive(barrier, size_), [] { return false; });
}

std::shared_ptr<LoopbackLink> LoopbackLink::split(int color, int key) {
  auto& splits = place_.shared().splits;
  const auto split_of = [&](int rank) -> MeetingPlace::Split& { return splits[static_cast<size_t>(rank)]; };
  split_of(rank_) = {color, key, {}};
  meet_on_host();
  std::vector<int> members;
  for (int rank = 0; rank < size_; ++rank)
    if (split_of(rank).color == color) members.push_back(rank);
  std::ranges::stable_sort(members, {}, [&](int rank) { return split_of(rank).key; });
  if (members.front() == rank_) split_of(rank_).address = MeetingPlace::make();
  meet_on_host();
  const nccl::Address address = split_of(members.front()).address;
  meet_on_host();
  const auto own = std::ranges::find(members, rank_) - members.begin();
  return std::make_shared<LoopbackLink>(address, device_, static_cast<int>(own), static_cast<int>(members.size()));
}

void LoopbackLink::queue(LoopbackStream& stream, const Call& call, const void* in, void* out) {
  machine().notify([&] { ++open_; });
  stream.push([self = shared_from_this(), call, in, out] {
    self->run(call, in, out);
    machine().notify([&] { --self->open_; });
  });
}

void LoopbackLink::wait_until_done() {
  std::unique_lock lock(machine().mutex);
  machine().changed.wait(lock, [&] { return open_ == 0; });
}

void LoopbackLink::abort() {
  machine().notify([&] { aborted_ = true; });
  place_.stir();
}

bool LoopbackLink::meet(MeetingPlace::Barrier& barrier) {
  const uint64_t generation = place_.arrive(barrier, size_);
  LoopbackStream::held_until([&] { return is_aborted() || place_.has_passed(barrier, generation); },
                             [&] { place_.wait(barrier, generation, [&] { return is_aborted(); }); });
  return !is_aborted();
}

void LoopbackLink::never_end() {
  LoopbackStream::hold_until([&] { return is_aborted(); });
}

void LoopbackLink::run(const Call& call, const void* in, void* out) {
  if (is_aborted()) return;
  const size_t bytes_in = static_cast<size_t>(elements_in(call, size_)) * bytes_of(call.element);
  const size_t bytes_out = static_cast<size_t>(elements_out(call, size_)) * bytes_of(call.element);
  std::vector<std::byte> values(bytes_in);
  poison(values.data(), bytes_in);
  const bool is_usable = is_of_device(in, bytes_in, device_) && is_of_device(out, bytes_out, device_);
  if (is_usable) {
    if (bytes_in > 0) std::memcpy(values.data(), bytes_at(in), bytes_in);
    poison(out, bytes_out);
  }
  if (why_lost(device_)) return never_end();
  auto& calls = place_.shared().calls;
  auto& barrier = place_.shared().of_streams;
  calls[static_cast<size_t>(rank_)] = call;
  if (!meet(barrier)) return;
  const bool are_alike =
      std::ranges::all_of(calls.begin(), calls.begin() + size_, [&](const Call& other) { return other == call; });
  if (!are_alike) return never_end();
  std::vector<std::byte> result(bytes_out);
  if (!exchange(call, values, result.data()) || !meet(barrier)) return;
  // What was freed meanwhile was freed too early.
  if (is_usable && bytes_out > 0 && is_of_device(out, bytes_out, device_))
    std::memcpy(bytes_at(out), result.data(), bytes_out);
}

// In pieces that fit a slot, each put by all ranks, then taken by all.
bool LoopbackLink::exchange(const Call& call, const std::vector<std::byte>& in, std::byte* out) {
  auto& slots = place_.shared().slots;
  auto& barrier = place_.shared().of_streams;
  const auto slot = [&](int rank) { return slots[static_cast<size_t>(rank)].data(); };
  const auto width = static_cast<int64_t>(bytes_of(call.element));
  const bool scatters = call.kind == Call::Kind::reduce_scatter;
  const int parts = scatters ? size_ : 1;
  const int64_t most = static_cast<int64_t>(kSlotBytes) / kWidest / parts;
  std::vector<std::byte> wide_sums(static_cast<size_t>(most * kWidest));
  for (int64_t begin = 0; begin < call.count; begin += most) {
    const int64_t count = std::min(most, call.count - begin);
    const auto bytes = static_cast<size_t>(count * width);
    for (int part = 0; part < parts; ++part)
      std::memcpy(slot(rank_) + part * count * width, in.data() + (part * call.count + begin) * width, bytes);
    if (!meet(barrier)) return false;
    if (call.kind == Call::Kind::broadcast) {
      std::memcpy(out + begin * width, slot(call.root), bytes);
    } else if (call.kind == Call::Kind::all_gather) {
      for (int rank = 0; rank < size_; ++rank)
        std::memcpy(out + (rank * call.count + begin) * width, slot(rank), bytes);
    } else {
      std::vector<const std::byte*> theirs;
      for (int rank = 0; rank < size_; ++rank) theirs.push_back(slot(rank) + (scatters ? rank_ * count * width : 0));
      combine(call.how, call.element, theirs, wide_sums.data(), count);
      narrow(call.element, wide_sums.data(), out + begin * width, count);
    }
    if (!meet(barrier)) return false;
  }
  return true;
}

}  // namespace sft::test::loopback
