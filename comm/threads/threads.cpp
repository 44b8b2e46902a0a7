#include "comm/threads/threads.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <exception>
#include <numeric>
#include <thread>

#include "comm/combine.h"
#include "comm/make_communicator.h"

namespace sft::threads {
namespace {

std::byte* at(Buffer buffer, int64_t element) {
  return static_cast<std::byte*>(buffer.data) + static_cast<size_t>(element) * bytes_of(buffer.element);
}

class ThreadRank final : public Communicator {
 public:
  ThreadRank(std::shared_ptr<Meeting> meeting, int rank)
      : meeting_(std::move(meeting)),
        rank_(rank),
        exceptions_(std::uncaught_exceptions()),
        parts_(static_cast<size_t>(size())) {}
  ~ThreadRank() override { meeting_->leave(rank_, std::uncaught_exceptions() > exceptions_); }

  int rank() const override { return rank_; }
  int size() const override { return meeting_->size(); }
  std::string_view backend() const override { return "threads"; }

  // Every rank combines its slice of all buffers, and writes it into all of them.
  void all_reduce(Buffer values, Reduction how) override {
    meet("all_reduce", {.values = values, .shard = {}, .next = nullptr}, [&] {
      const int64_t begin = values.count * rank_ / size();
      const int64_t end = values.count * (rank_ + 1) / size();
      combine_range(how, begin, end, [&](const std::byte* result, int64_t position, int64_t count) {
        for (int peer = 0; peer < size(); ++peer)
          narrow(values.element, result, at(meeting_->post(peer).values, position), count);
      });
    });
  }

  void reduce_scatter(Buffer values, Buffer shard) override {
    assert(values.count == shard.count * size() && values.element == shard.element);
    meet("reduce_scatter", {.values = values, .shard = {}, .next = nullptr}, [&] {
      const int64_t begin = shard.count * rank_;
      combine_range(Reduction::sum, begin, begin + shard.count,
                    [&](const std::byte* result, int64_t position, int64_t count) {
                      narrow(values.element, result, at(shard, position - begin), count);
                    });
    });
  }

  void all_gather(Buffer shard, Buffer values) override {
    assert(values.count == shard.count * size() && values.element == shard.element);
    meet("all_gather", {.values = values, .shard = shard, .next = nullptr}, [&] {
      for (int peer = 0; peer < size(); ++peer) copy(meeting_->post(peer).shard, at(values, shard.count * peer));
    });
  }

  void broadcast(Buffer values, int root) override {
    assert(root >= 0 && root < size());
    meet("broadcast", {.values = values, .shard = {}, .next = nullptr},
         [&] { copy(meeting_->post(root).values, static_cast<std::byte*>(values.data)); });
  }

  void barrier() override { meeting_->arrive(rank_, "barrier"); }

  std::unique_ptr<Communicator> split(int color, int key) override {
    std::vector<int> members;
    meet("split", {.values = {}, .shard = {}, .color = color, .key = key, .next = nullptr}, [&] {
      for (int peer = 0; peer < size(); ++peer)
        if (meeting_->post(peer).color == color) members.push_back(peer);
      std::ranges::stable_sort(members, {}, [&](int peer) { return meeting_->post(peer).key; });
      if (members.front() == rank_)
        meeting_->post(rank_).next = std::make_shared<Meeting>(static_cast<int>(members.size()));
    });
    std::shared_ptr<Meeting> smaller = meeting_->post(members.front()).next;
    meeting_->arrive(rank_, "split");  // all hold it: the posts may be written again
    const int place = static_cast<int>(std::ranges::find(members, rank_) - members.begin());
    return join(std::move(smaller), place);
  }

 private:
  template <class Body>
  void meet(std::string_view operation, Meeting::Post mine, Body body) {
    meeting_->post(rank_) = std::move(mine);
    meeting_->arrive(rank_, operation);
    body();
    meeting_->arrive(rank_, operation);
  }

  // Hands combined runs of [begin, end) to `take`. Allocates nothing: a rank that failed here would
  // take its buffer from under the others.
  template <class Take>
  void combine_range(Reduction how, int64_t begin, int64_t end, Take take) {
    constexpr int64_t kRun = 1024;
    alignas(64) std::array<std::byte, kRun * 8> result;
    for (int64_t position = begin; position < end; position += kRun) {
      const int64_t count = std::min(kRun, end - position);
      for (int peer = 0; peer < size(); ++peer)
        parts_[static_cast<size_t>(peer)] = at(meeting_->post(peer).values, position);
      combine(how, meeting_->post(rank_).values.element, parts_, result.data(), count);
      take(result.data(), position, count);
    }
  }

  static void copy(Buffer from, std::byte* to) {
    if (from.bytes() > 0 && from.data != to) std::memcpy(to, from.data, from.bytes());
  }

  std::shared_ptr<Meeting> meeting_;
  int rank_;
  int exceptions_;
  std::vector<const std::byte*> parts_;  // where each rank's run lies
};

}  // namespace

std::unique_ptr<Communicator> join(std::shared_ptr<Meeting> meeting, int rank) {
  return std::make_unique<ThreadRank>(std::move(meeting), rank);
}

}  // namespace sft::threads

namespace sft {

void spawn_ranks(int size, const std::function<void(Communicator&)>& body) {
  const auto meeting = std::make_shared<threads::Meeting>(size);
  std::mutex mutex;
  std::exception_ptr cause, consequence;
  {
    std::vector<std::jthread> ranks;
    for (int rank = 0; rank < size; ++rank)
      ranks.emplace_back([&, rank] {
        try {
          const auto world = threads::join(meeting, rank);
          body(*world);
        } catch (const threads::PeerLost&) {
          const std::lock_guard lock(mutex);
          if (!consequence) consequence = std::current_exception();
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (!cause) cause = std::current_exception();
        }
      });
  }
  if (cause) std::rethrow_exception(cause);
  if (consequence) std::rethrow_exception(consequence);
}

}  // namespace sft
