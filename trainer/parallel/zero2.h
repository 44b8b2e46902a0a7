// ZeRO-2: as ZeRO-1, and a rank keeps the gradients that it owns alone. Each backward pass fills buckets that exist
// from their first gradient until their sum is added to what is kept, so that a pass is a round of buckets; ranks with
// fewer passes send zeros in the rounds that they lack.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "trainer/parallel/sharded.h"

namespace sft {

class Zero2 : public Sharded {
 public:
  Zero2(Arena& arena, Communicator& world, Communicator& control, Buckets buckets, Leave leave);
  ~Zero2() override;

  void begin(int64_t passes) override;
  void pass() override;
  void fold() override {}  // a share is one part

 protected:
  bool in_pass() const { return in_pass_; }
  virtual void lacking_pass() {}  // of a rank without a micro-batch, all that ranks do together but the sums
  virtual void end_pass();
  bool may_leave() const override { return in_pass_ && leave_ == Leave::when_full; }
  void launch(size_t k) override;
  void settle() override;

 private:
  // A bucket whose sum is under way.
  struct Flight {
    size_t bucket;
    at::Tensor gradients;
    std::unique_ptr<Work> work;
  };
  static constexpr size_t kMostFlights = 2;

  void send() override;
  void written(size_t placed) override;
  void take(size_t placed, size_t k) override;
  at::Tensor& filled(size_t k);
  void land();

  Communicator& control_;
  std::vector<at::Tensor> filling_;  // by bucket, undefined before its first gradient
  std::deque<Flight> flights_;       // in the order in which they left
  int64_t passes_ = 0, passed_ = 0;  // of this global batch: of the rank with the most, and so far
  bool in_pass_ = false;
};

}  // namespace sft
