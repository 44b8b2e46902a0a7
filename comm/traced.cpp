#include "comm/traced.h"

#include "base/timeline.h"

namespace sft {
namespace {

class Traced final : public Observed {
 public:
  explicit Traced(std::unique_ptr<Communicator> inner) : Observed(std::move(inner)) {}

 private:
  void begin(const Operation&) override {
    if (timeline::wanted) begin_ = timeline::now();
  }

  void end(const Operation& operation) noexcept override {
    if (begin_ >= 0.0) timeline::add(describe(operation), begin_);
    begin_ = -1.0;
  }

  std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> part) override { return traced(std::move(part)); }

  double begin_ = -1.0;
};

}  // namespace

std::unique_ptr<Communicator> traced(std::unique_ptr<Communicator> inner) {
  return std::make_unique<Traced>(std::move(inner));
}

}  // namespace sft
