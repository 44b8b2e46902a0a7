#include "comm/mpi/between_nodes.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <future>
#include <numeric>

#include "base/timeline.h"
#include "comm/combine.h"
#include "comm/mpi/node_sum.h"

namespace sft::mpi {
namespace {

int64_t pieces_of(int64_t count, int64_t most) { return (count + most - 1) / most; }

}  // namespace

BetweenNodes::BetweenNodes(NodeMemory& memory, SftComm leaders, const std::vector<int>& leader_of, int rank)
    : memory_(memory), rank_(rank), order_(leader_of.size()), place_(leader_of.size()) {
  if (leaders != 0) leaders_.emplace(leaders);
  std::iota(order_.begin(), order_.end(), 0);
  std::ranges::stable_sort(order_, {}, [&](int each) { return leader_of[static_cast<size_t>(each)]; });
  for (size_t place = 0; place < order_.size(); ++place) {
    const auto here = static_cast<size_t>(order_[place]);
    place_[here] = static_cast<int>(place);
    if (leader_of[here] == order_[place]) first_places_.push_back(static_cast<int64_t>(place));
  }
  first_places_.push_back(static_cast<int64_t>(order_.size()));
}

void BetweenNodes::release() noexcept {
  if (leaders_) leaders_->release();
}

std::byte* BetweenNodes::half(int64_t piece) const {
  return memory_.results() + memory_.slot_bytes() * kSlotsOfResults / 2 * static_cast<size_t>(piece % 2);
}

int64_t BetweenNodes::run_bytes() const {
  constexpr size_t kLine = 64;
  return static_cast<int64_t>(memory_.slot_bytes() * kSlotsOfResults / 2 / order_.size() / kLine * kLine);
}

std::vector<int64_t> BetweenNodes::bounds_of_nodes(int64_t run) const {
  std::vector<int64_t> bounds = first_places_;
  for (int64_t& bound : bounds) bound *= run;
  return bounds;
}

// Two halves suffice: a half is filled again behind a barrier that each rank passes when it has taken what was there.
void BetweenNodes::in_pieces(int64_t pieces, const Steps& steps) {
  if (leaders_ && pieces > 1 && !network_) network_.emplace();
  std::future<void> sent;
  try {
    for (int64_t piece = 0; piece <= pieces; ++piece) {
      if (piece < pieces) steps.fill(piece, half(piece));
      if (sent.valid()) sent.get();
      if (leaders_ && piece < pieces && pieces == 1) steps.send(piece, half(piece));
      if (leaders_ && piece < pieces && pieces > 1)
        sent = network_->post([&steps, piece, result = half(piece)] {
          timeline::spanned("between nodes", [&] { steps.send(piece, result); });
        });
      if (piece > 0) {
        memory_.barrier();
        steps.take(piece - 1, half(piece - 1));
      }
    }
  } catch (...) {  // what is under way reads this frame
    if (sent.valid()) sent.wait();
    throw;
  }
}

void BetweenNodes::fill(std::byte* result, const std::byte* values, int64_t count, Element element, Reduction how) {
  const int64_t most = slot_elements(memory_, element);
  for (int64_t begin = 0; begin < count; begin += most)
    combine_on_node(memory_, values + static_cast<size_t>(begin) * bytes_of(element), std::min(most, count - begin),
                    element, how, result + static_cast<size_t>(begin) * bytes_of(wide(element)));
}

void BetweenNodes::all_reduce(Buffer values, Reduction how) {
  const int64_t most = slot_elements(memory_, values.element) * kSlotsOfResults / 2;
  const int64_t pieces = pieces_of(values.count, most);
  const auto count_of = [&](int64_t piece) { return std::min(most, values.count - piece * most); };
  if (memory_.size() == 1 && wide(values.element) == values.element) {  // nothing to fill or to take
    for (int64_t piece = 0; piece < pieces; ++piece)
      leaders_->all_reduce(at(values, piece * most), count_of(piece), values.element, how);
    return;
  }
  in_pieces(
      pieces,
      {.fill = [&](int64_t piece,
                   std::byte* result) { fill(result, at(values, piece * most), count_of(piece), values.element, how); },
       .send = [&](int64_t piece,
                   std::byte* result) { leaders_->all_reduce(result, count_of(piece), wide(values.element), how); },
       .take = [&](int64_t piece,
                   std::byte* result) { narrow(values.element, result, at(values, piece * most), count_of(piece)); }});
}

// A piece has a run of each rank's shard, node by node, so that a node is sent what its ranks own and nothing else.
void BetweenNodes::reduce_scatter(Buffer values, Buffer shard) {
  const int64_t most = run_bytes() / static_cast<int64_t>(bytes_of(wide(values.element)));
  assert(most > 0);
  const auto run_of = [&](int64_t piece) { return std::min(most, shard.count - piece * most); };
  const auto ranks = static_cast<int64_t>(order_.size());
  const auto arrange = [&](int64_t piece) {
    const size_t bytes = static_cast<size_t>(run_of(piece)) * bytes_of(values.element);
    arranged_.resize(std::max(arranged_.size(), bytes * order_.size()));
    for (size_t place = 0; place < order_.size(); ++place)
      std::memcpy(arranged_.data() + place * bytes, at(values, shard.count * order_[place] + piece * most), bytes);
  };
  in_pieces(pieces_of(shard.count, most),
            {.fill =
                 [&](int64_t piece, std::byte* result) {
                   arrange(piece);
                   fill(result, arranged_.data(), run_of(piece) * ranks, values.element, Reduction::sum);
                 },
             .send =
                 [&](int64_t piece, std::byte* result) {
                   leaders_->reduce(result, bounds_of_nodes(run_of(piece)), wide(values.element), Reduction::sum);
                 },
             .take =
                 [&](int64_t piece, std::byte* result) {
                   const int64_t own = place_[static_cast<size_t>(rank_)] * run_of(piece);
                   narrow(values.element, result + static_cast<size_t>(own) * bytes_of(wide(values.element)),
                          at(shard, piece * most), run_of(piece));
                 }});
}

void BetweenNodes::all_gather(Buffer shard, Buffer values) {
  const auto bytes = static_cast<int64_t>(shard.bytes());
  const int64_t most = run_bytes();
  const auto run_of = [&](int64_t piece) { return std::min(most, bytes - piece * most); };
  const auto place = [&](std::byte* result, int64_t piece, size_t rank) {
    return result + static_cast<size_t>(place_[rank] * run_of(piece));
  };
  in_pieces(
      pieces_of(bytes, most),
      {.fill =
           [&](int64_t piece, std::byte* result) {
             memory_.barrier();
             std::memcpy(place(result, piece, static_cast<size_t>(rank_)),
                         static_cast<const std::byte*>(shard.data) + piece * most, static_cast<size_t>(run_of(piece)));
             memory_.barrier();
           },
       .send = [&](int64_t piece, std::byte* result) { leaders_->gather(result, bounds_of_nodes(run_of(piece))); },
       .take =
           [&](int64_t piece, std::byte* result) {
             for (size_t rank = 0; rank < place_.size(); ++rank)
               std::memcpy(static_cast<std::byte*>(values.data) + static_cast<int64_t>(rank) * bytes + piece * most,
                           place(result, piece, rank), static_cast<size_t>(run_of(piece)));
           }});
}

void BetweenNodes::barrier() {
  memory_.barrier();
  if (leaders_) leaders_->barrier();
  memory_.barrier();
}

}  // namespace sft::mpi
