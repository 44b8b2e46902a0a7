// What the strategies have in common: when a bucket of gradients leaves, and in which order.
//
// A hook on each parameter fires when autograd has written its gradient. A full bucket leaves only after all
// buckets before it, so the order is that of the arena on every rank, whatever order backward took there;
// a rank with nothing to do launches the same buckets in reduce().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "trainer/parallel/buckets.h"
#include "trainer/parallel/gradient_sync.h"

namespace sft {

inline constexpr int64_t kFirstBucketBytes = 1 << 20;

class Bucketed : public GradientSync {
 public:
  Bucketed(Arena& arena, Communicator& world, Buckets buckets, Leave leave);
  ~Bucketed() override;

  std::unique_ptr<GradientSync::Overlap> overlap() override;
  void reduce() override;
  int64_t bytes_reduced() const override { return rounds_in_batch_ * arena_.num_parameters() * element_bytes(); }
  int64_t padding_reduced() const override;
  std::vector<std::string> unreached() override;

 protected:
  // Starts the sum of bucket k over ranks; called once a round for each of them, in order.
  virtual void launch(size_t k) = 0;
  // Waits for what was launched.
  virtual void settle() = 0;
  // All of reduce() that ranks do together.
  virtual void send();

  // Called by autograd once a backward for each parameter that got a gradient, by one thread at a time.
  virtual void written(size_t placed);
  // Before bucket k may leave: it is told the gradient of a parameter that is a part of it.
  virtual void take(size_t placed, size_t k);
  virtual bool may_leave() const { return overlapping_ && leave_ == Leave::when_full; }

  void launch_until(size_t end);  // buckets [0, end) of this round that have not left
  void launch_rest();             // of this round, once
  void begin_round();  // all buckets are to be launched again

  int64_t element_bytes() const { return static_cast<int64_t>(arena_.values().element_size()); }

  Arena& arena_;
  Communicator& world_;
  const Buckets buckets_;
  const Leave leave_;

 private:
  class Token;

  size_t left_ = 0;                        // buckets launched in this round
  std::vector<int> missing_;               // gradients that a bucket still waits for
  std::vector<uint8_t> reached_;           // a flag a placed parameter, since the last reduce()
  std::vector<uint8_t> reached_in_batch_;  // before it
  bool overlapping_ = false;
  int64_t rounds_ = 0;           // of buckets, since the last reduce()
  int64_t rounds_in_batch_ = 0;  // before it
};

// Where an error comes between, a thread of the communicator may still be at a bucket, and will be until the process
// ends: it is not waited for, because another rank may never come to it, and its memory stays.
void keep_for_ever(const at::Tensor& memory);

}  // namespace sft
