// ZeRO-3: as ZeRO-2, and a rank keeps the parameters that it owns alone (Rajbhandari et al. 2020, stage 3). The watch
// gathers those of a stage before it runs, forward and backward, and gives their memory back behind it; where
// collectives go on beside the computation, the next stage's are under way meanwhile.
//
// Gathers and sums are collectives, so all ranks make them in one order, whatever their micro-batches are: buckets
// leave when a backward pass has come below their stage, and a rank that lacks a micro-batch goes through the stages
// all the same.
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "trainer/parallel/room.h"
#include "trainer/parallel/zero2.h"

namespace sft {
namespace {

class Zero3 final : public Zero2 {
 public:
  Zero3(Arena& arena, Communicator& world, Communicator& control, int64_t bucket_bytes, Leave leave,
        const StageReads& reads)
      : Zero2(arena, world, control, cut_by_stage(arena, bucket_bytes, bucket_unit(world)), leave),
        on_top_(reads.on_top) {
    const std::vector<Placed>& placed = arena_.placed();
    for (size_t first = 0, i = 0; i < placed.size(); ++i) {
      const int stage = placed[i].parameter.stage;
      if (i + 1 < placed.size() && placed[i + 1].parameter.stage == stage) continue;
      read_by_[stage].insert(rooms_.size());
      rooms_.emplace_back(arena_, buckets_, first, i);
      first = i + 1;
    }
    arena_.keep_values_of(owned());
    arrivals_.resize(rooms_.size());
    for (const StageReads::Borrowing& borrowed : reads.borrowings)
      if (const auto lender = read_by_.find(borrowed.from); lender != read_by_.end())
        read_by_[borrowed.stage].insert(lender->second.begin(), lender->second.end());
  }
  ~Zero3() override {
    for (size_t r = 0; r < rooms_.size(); ++r)
      if (!arrivals_[r].empty()) keep_for_ever(rooms_[r].flat());
  }

  void publish() override {}  // whoever needs them gathers them

  std::unique_ptr<Whole> whole() override {
    for (size_t r = rooms_.size(); r-- > 0;) start(r);
    for (size_t r = rooms_.size(); r-- > 0;) finish(r);
    ++held_;
    return std::make_unique<Held>(*this);
  }

  void before(int stage) override {
    const auto found = read_by_.find(stage);
    if (held_ > 0 || found == read_by_.end()) return;
    if (!in_pass()) throw std::logic_error("parameters of a stage are asked for that only a pass or whole() gathers");
    gather(found->second);
    if (!is_backward_ && goes_ahead())
      if (const auto next = std::next(found); next != read_by_.end()) start_all(next->second);
  }

  void after(int stage) override {
    const auto found = read_by_.find(stage);
    if (held_ > 0 || found == read_by_.end()) return;
    const auto next = std::next(found);
    for (const size_t r : found->second)
      if (next == read_by_.end() || !next->second.contains(r)) finish(r), close(r);
  }

  void before_backward(int stage) override {
    if (held_ > 0) return;
    is_backward_ = true;
    // The highest stage at or below this one that reads something.
    const auto above = read_by_.upper_bound(stage);
    static const std::set<size_t> nothing;
    const auto& needed = above == read_by_.begin() ? nothing : std::prev(above)->second;
    for (size_t r = 0; r < rooms_.size(); ++r)
      if (!needed.contains(r)) finish(r), close(r);
    launch_above(stage);
    gather(needed);
    if (goes_ahead() && above != read_by_.begin() && std::prev(above) != read_by_.begin())
      start_all(std::prev(above, 2)->second);
  }

 private:
  class Held final : public Whole {
   public:
    explicit Held(Zero3& owner) : owner_(owner) {}
    ~Held() override { owner_.let_go(); }

   private:
    Zero3& owner_;
  };

  bool may_leave() const override { return false; }
  bool goes_ahead() const { return leave_ == Leave::when_full; }

  // Buckets that have nothing of the stages up to this one.
  void launch_above(int stage) {
    size_t end = buckets_.list.size();
    for (const Room& room : rooms_)
      if (room.stage() <= stage) end = std::min(end, room.buckets().first);
    launch_until(end);
    if (leave_ == Leave::at_the_end) settle();
  }

  void lacking_pass() override {
    for (const auto& [stage, rooms] : read_by_) {
      before(stage);
      if (stage < on_top_) after(stage);
    }
    for (auto reader = read_by_.rbegin(); reader != read_by_.rend(); ++reader)
      if (reader->first < on_top_) before_backward(reader->first);
  }

  void pass() override {
    Zero2::pass();
    is_backward_ = false;
  }

  void end_pass() override {
    if (in_pass())
      for (size_t r = 0; r < rooms_.size(); ++r) finish(r), close(r);
    Zero2::end_pass();
  }

  void gather(const std::set<size_t>& rooms) {
    start_all(rooms);
    for (const size_t r : rooms) finish(r);
  }
  void start_all(const std::set<size_t>& rooms) {
    for (const size_t r : rooms) start(r);
  }

  // What this rank owns is copied into its place, what others own comes from them.
  void start(size_t r) {
    Room& room = rooms_[r];
    if (room.has_memory()) return;
    const at::NoGradGuard no_graph;
    room.open();
    for (size_t k = room.buckets().first; k <= room.buckets().last; ++k) {
      const Bucket& bucket = buckets_.list[k];
      const at::Tensor whole = room.part(bucket.offset, bucket.size), mine = room.part(own(k).offset, own(k).size);
      if (own(k).size > 0) mine.copy_(arena_.value(own(k).offset, own(k).size));
      if (is_shared_out(k))
        arrivals_[r].push_back(world_.start_all_gather(buffer_of(mine), buffer_of(whole)));
      else
        world_.broadcast(buffer_of(whole), world_.size() - 1);
    }
  }

  void finish(size_t r) {
    for (const auto& gather : arrivals_[r]) gather->wait();
    arrivals_[r].clear();
  }

  void close(size_t r) {
    if (rooms_[r].has_memory()) rooms_[r].close();
  }

  // Parameters may have been loaded.
  void let_go() {
    if (--held_ > 0) return;
    const at::NoGradGuard no_graph;
    for (Room& room : rooms_) {
      for (size_t k = room.buckets().first; k <= room.buckets().last; ++k) keep_of(room, k);
      room.close();
    }
  }

  // Of a bucket on the border of two stages, that part alone which is of the room's.
  void keep_of(const Room& room, size_t k) {
    const int64_t first = std::max(room.begin(), own(k).offset);
    const int64_t last = std::min(room.end(), own(k).offset + own(k).size);
    if (first < last) arena_.value(first, last - first).copy_(room.part(first, last - first));
  }

  const int on_top_;
  std::vector<Room> rooms_;                                   // in the order of the arena
  std::map<int, std::set<size_t>> read_by_;                   // which of them a stage reads
  std::vector<std::vector<std::unique_ptr<Work>>> arrivals_;  // of each room, that are under way
  int held_ = 0;                                              // tokens of whole()
  bool is_backward_ = false;
};

}  // namespace

std::unique_ptr<GradientSync> make_zero3(Arena& arena, Communicator& world, Communicator& control, int64_t bucket_bytes,
                                         Leave leave, const StageReads& reads) {
  return std::make_unique<Zero3>(arena, world, control, bucket_bytes, leave, reads);
}

}  // namespace sft
