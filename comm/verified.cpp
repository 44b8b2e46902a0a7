#include "comm/verified.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

// An operation as numbers that travel.
using Numbers = std::array<int64_t, 6>;

Numbers numbers_of(const Operation& operation) {
  return {static_cast<int64_t>(operation.kind),
          static_cast<int64_t>(operation.element),
          static_cast<int64_t>(operation.how),
          operation.root,
          operation.count,
          operation.sequence};
}

Operation operation_of(const Numbers& numbers) {
  return {.kind = static_cast<Operation::Kind>(numbers[0]),
          .element = static_cast<Element>(numbers[1]),
          .how = static_cast<Reduction>(numbers[2]),
          .root = static_cast<int>(numbers[3]),
          .count = numbers[4],
          .sequence = numbers[5]};
}

// What most ranks call; of equally many, what the lowest of them calls.
const Numbers& usual(const std::vector<Numbers>& all) {
  return *std::ranges::max_element(all, {}, [&](const Numbers& numbers) { return std::ranges::count(all, numbers); });
}

class Verified final : public Observed {
 public:
  Verified(std::unique_ptr<Communicator> inner, std::unique_ptr<Communicator> side)
      : Observed(std::move(inner)), side_(std::move(side)) {}

 private:
  void begin(const Operation& operation) override {
    Numbers mine = numbers_of(operation);
    std::vector<Numbers> all(static_cast<size_t>(size()));
    side_->all_gather(Buffer::of(std::span(mine)), Buffer::of(std::span(all.front().data(), all.size() * mine.size())));

    const Numbers& expected = usual(all);
    const auto other = std::ranges::find_if(all, [&](const Numbers& numbers) { return numbers != expected; });
    if (other == all.end()) return;
    const auto usual_rank = std::ranges::find(all, expected) - all.begin();
    throw CommError(concat("ranks call different collectives: rank ", other - all.begin(), " call ", (*other)[5], ", ",
                           describe(operation_of(*other)), "; rank ", usual_rank, " call ", expected[5], ", ",
                           describe(operation_of(expected))));
  }

  void end(const Operation&) noexcept override {}

  std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> part) override {
    return verified(std::move(part));
  }

  std::unique_ptr<Communicator> side_;
};

}  // namespace

std::unique_ptr<Communicator> verified(std::unique_ptr<Communicator> inner, std::unique_ptr<Communicator> side) {
  if (!side) side = inner->split(0, inner->rank());
  return std::make_unique<Verified>(std::move(inner), std::move(side));
}

}  // namespace sft
