#include "comm/observed.h"

#include <array>

#include "base/text.h"

namespace sft {
namespace {

constexpr std::array<std::string_view, Operation::kKinds> kNames{
    "all_reduce", "start_all_reduce", "wait",      "reduce_scatter", "start_reduce_scatter",
    "all_gather", "start_all_gather", "broadcast", "barrier",        "split",
    "connect"};

}  // namespace

std::string_view name_of(Operation::Kind kind) { return kNames[static_cast<size_t>(kind)]; }

std::string describe(const Operation& operation) {
  const std::string_view name = name_of(operation.kind);
  const std::string values = concat(name, " of ", operation.count, " ", name_of(operation.element));
  switch (operation.kind) {
    case Operation::Kind::all_reduce:
      return concat(values, " by ", name_of(operation.how));
    case Operation::Kind::broadcast:
      return concat(values, " from rank ", operation.root);
    case Operation::Kind::wait:
    case Operation::Kind::barrier:
    case Operation::Kind::split:
    case Operation::Kind::connect:
      return std::string(name);
    default:
      return values;
  }
}

template <class Call>
auto Observed::call(Operation operation, Call call) {
  struct End {
    Observed& observer;
    const Operation& operation;
    ~End() { observer.end(operation); }
  };
  operation.sequence = ++sequence_;
  begin(operation);
  const End at_end{*this, operation};
  return call();
}

class Observed::ObservedWork final : public Work {
 public:
  ObservedWork(Observed& observer, std::unique_ptr<Work> inner) : observer_(observer), inner_(std::move(inner)) {}
  void wait() override {
    observer_.call({.kind = Operation::Kind::wait}, [&] { inner_->wait(); });
  }

 private:
  Observed& observer_;
  std::unique_ptr<Work> inner_;
};

void Observed::all_reduce(Buffer values, Reduction how) {
  call({.kind = Operation::Kind::all_reduce, .element = values.element, .how = how, .count = values.count},
       [&] { inner_->all_reduce(values, how); });
}

std::unique_ptr<Work> Observed::start_all_reduce(Buffer values) {
  auto work = call({.kind = Operation::Kind::start_all_reduce, .element = values.element, .count = values.count},
                   [&] { return inner_->start_all_reduce(values); });
  return std::make_unique<ObservedWork>(*this, std::move(work));
}

void Observed::reduce_scatter(Buffer values, Buffer shard) {
  call({.kind = Operation::Kind::reduce_scatter, .element = values.element, .count = values.count},
       [&] { inner_->reduce_scatter(values, shard); });
}

void Observed::all_gather(Buffer shard, Buffer values) {
  call({.kind = Operation::Kind::all_gather, .element = values.element, .count = values.count},
       [&] { inner_->all_gather(shard, values); });
}

std::unique_ptr<Work> Observed::start_reduce_scatter(Buffer values, Buffer shard) {
  auto work = call({.kind = Operation::Kind::start_reduce_scatter, .element = values.element, .count = values.count},
                   [&] { return inner_->start_reduce_scatter(values, shard); });
  return std::make_unique<ObservedWork>(*this, std::move(work));
}

std::unique_ptr<Work> Observed::start_all_gather(Buffer shard, Buffer values) {
  auto work = call({.kind = Operation::Kind::start_all_gather, .element = values.element, .count = values.count},
                   [&] { return inner_->start_all_gather(shard, values); });
  return std::make_unique<ObservedWork>(*this, std::move(work));
}

void Observed::broadcast(Buffer values, int root) {
  call({.kind = Operation::Kind::broadcast, .element = values.element, .root = root, .count = values.count},
       [&] { inner_->broadcast(values, root); });
}

void Observed::barrier() {
  call({.kind = Operation::Kind::barrier}, [&] { inner_->barrier(); });
}

std::unique_ptr<Communicator> Observed::split(int color, int key) {
  return observe(call({.kind = Operation::Kind::split}, [&] { return inner_->split(color, key); }));
}

}  // namespace sft
