// Every node sends each other the part that the other owns, combines its own, and gathers the rest: twice the values go
// out and come in at each node, less 1/nodes of them, which is the least that a sum can do (Patarasu and Yuan, 2009).
// Few bytes go whole to all at once.
#include "comm/mpi/leaders.h"

#include <algorithm>
#include <cstring>

#include "comm/combine.h"
#include "comm/mpi/library/library.h"
#include "comm/mpi/node.h"
#include "comm/mpi/session.h"

namespace sft::mpi {
namespace {

constexpr size_t kWholeBytes = 16 << 10;  // up to here what a message costs is the time until it comes

Leaders::Places places_of(std::span<const int64_t> bounds, size_t width) {
  Leaders::Places places;
  for (size_t node = 0; node + 1 < bounds.size(); ++node) {
    places.begins.push_back(static_cast<int>(static_cast<size_t>(bounds[node]) * width));
    places.bytes.push_back(static_cast<int>(static_cast<size_t>(bounds[node + 1] - bounds[node]) * width));
  }
  return places;
}

}  // namespace

Leaders::Leaders(SftComm comm) : comm_(comm), nodes_(size_of(comm)), node_(rank_in(comm)) {
  parts_.resize(static_cast<size_t>(nodes_));
}

void Leaders::release() noexcept { leave(comm_); }

void Leaders::all_reduce(std::byte* values, int64_t count, Element element, Reduction how) {
  if (static_cast<size_t>(count) * bytes_of(element) <= kWholeBytes) return gather_all(values, count, element, how);
  std::vector<int64_t> bounds, in_bytes;
  for (int64_t node = 0; node <= nodes_; ++node) {
    bounds.push_back(count * node / nodes_);
    in_bytes.push_back(bounds.back() * static_cast<int64_t>(bytes_of(element)));
  }
  reduce(values, bounds, element, how);
  gather(values, in_bytes);
}

void Leaders::gather_all(std::byte* values, int64_t count, Element element, Reduction how) {
  const size_t bytes = static_cast<size_t>(count) * bytes_of(element);
  theirs_.resize(std::max(theirs_.size(), bytes * static_cast<size_t>(nodes_)));
  check(library().all_gather(comm_, values, static_cast<int>(bytes), theirs_.data()), "all_reduce: MPI_Allgather");
  combine_theirs(how, element, values, count);
}

void Leaders::reduce(std::byte* values, std::span<const int64_t> bounds, Element element, Reduction how) {
  const Places places = places_of(bounds, bytes_of(element));
  const auto me = static_cast<size_t>(node_);
  const auto bytes = static_cast<size_t>(places.bytes[me]);
  std::byte* const own = values + places.begins[me];
  Places received;
  for (size_t node = 0; node < parts_.size(); ++node) {
    received.bytes.push_back(places.bytes[me]);
    received.begins.push_back(static_cast<int>(node * bytes));
  }
  theirs_.resize(std::max(theirs_.size(), bytes * parts_.size()));
  exchange(values, places, theirs_.data(), received);
  if (bytes > 0) std::memcpy(theirs_.data() + me * bytes, own, bytes);
  combine_theirs(how, element, own, bounds[me + 1] - bounds[me]);
}

void Leaders::gather(std::byte* values, std::span<const int64_t> bounds) {
  const Places places = places_of(bounds, 1);
  const auto me = static_cast<size_t>(node_);
  Places sent;
  sent.bytes.assign(parts_.size(), places.bytes[me]);
  sent.begins.assign(parts_.size(), places.begins[me]);
  exchange(values, sent, values, places);
}

void Leaders::exchange(const std::byte* mine, const Places& sent, std::byte* theirs, const Places& received) {
  check(library().exchange(comm_, mine, sent.bytes.data(), sent.begins.data(), theirs, received.bytes.data(),
                           received.begins.data()),
        "exchange between nodes");
}

// A part of each node lies in theirs_, side by side.
void Leaders::combine_theirs(Reduction how, Element element, std::byte* into, int64_t count) {
  const size_t bytes = static_cast<size_t>(count) * bytes_of(element);
  for (size_t node = 0; node < parts_.size(); ++node) parts_[node] = theirs_.data() + node * bytes;
  combine(how, element, parts_, into, count);
}

void Leaders::barrier() { check(library().barrier(comm_), "barrier: MPI_Barrier"); }

}  // namespace sft::mpi
