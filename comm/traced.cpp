#include "comm/traced.h"

#include "base/stopwatch.h"

namespace sft {
namespace {

class Traced final : public Observed {
 public:
  Traced(std::unique_ptr<Communicator> inner, Trace& trace) : Observed(std::move(inner)), trace_(trace) {}

 private:
  void begin(const Operation& operation) override {
    trace_.current = operation;
    watch_.restart();
  }

  void end(const Operation& operation) noexcept override {
    Traffic& traffic = trace_.by_kind[static_cast<size_t>(operation.kind)];
    ++traffic.calls;
    traffic.bytes += static_cast<int64_t>(operation.bytes());
    traffic.seconds += watch_.seconds();
    trace_.current.reset();
  }

  std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> part) override {
    return traced(std::move(part), trace_);
  }

  Trace& trace_;
  Stopwatch watch_;
};

}  // namespace

Traffic Trace::total() const {
  Traffic sum;
  for (const Traffic& traffic : by_kind) {
    sum.calls += traffic.calls;
    sum.bytes += traffic.bytes;
    sum.seconds += traffic.seconds;
  }
  return sum;
}

std::unique_ptr<Communicator> traced(std::unique_ptr<Communicator> inner, Trace& trace) {
  return std::make_unique<Traced>(std::move(inner), trace);
}

}  // namespace sft
