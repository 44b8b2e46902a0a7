// All other operators: the CPU's, queued.
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/resize.h>
#include <torch/library.h>

#include <algorithm>
#include <optional>
#include <set>

#include "tests/simulated_gpu/simulated_gpu.h"

namespace sft::test::simulated {
namespace {

using at::Tensor;
using c10::IValue;
using torch::jit::Stack;

bool is_there(const Tensor& tensor) { return tensor.defined() && tensor.device().type() == kType; }

// Applies `change` to each tensor of an argument or a result.
IValue changed(const IValue& value, const std::function<Tensor(const Tensor&)>& change) {
  if (value.isTensor()) return value.toTensor().defined() ? IValue(change(value.toTensor())) : value;
  if (value.isTensorList()) {
    c10::List<Tensor> list;
    for (const Tensor& tensor : value.toTensorVector()) list.push_back(change(tensor));
    return list;
  }
  if (value.isOptionalTensorList()) {
    c10::List<std::optional<Tensor>> list;
    for (const std::optional<Tensor>& tensor : value.toOptionalTensorVector())
      list.push_back(tensor && tensor->defined() ? std::optional(change(*tensor)) : tensor);
    return list;
  }
  if (value.isDevice()) return c10::Device(c10::kCPU);
  return value;
}

// One call of an operator over tensors of one device.
class Call {
 public:
  Call(const c10::OperatorHandle& op, const Stack& stack)
      : op_(op), arguments_(stack.end() - static_cast<std::ptrdiff_t>(op.schema().arguments().size()), stack.end()) {
    each_tensor([&](const Tensor& tensor) {
      if (!is_there(tensor)) return;
      TORCH_CHECK(!device_ || *device_ == tensor.device(), name(), ": tensors of ", *device_, " and ", tensor.device());
      device_ = tensor.device();
    });
    for (const IValue& argument : arguments_)
      if (!device_ && argument.isDevice()) device_ = argument.toDevice();
    TORCH_CHECK(device_, name(), ": no tensor of a device");
  }

  // Leaves the results on the stack.
  void run(Stack& stack) {
    make_room();
    const Stack host = host_arguments();
    Stack results = is_told_by_values() ? run_now(host) : run_later(host);
    torch::jit::drop(stack, arguments_.size());
    for (IValue& result : results) stack.push_back(std::move(result));
  }

 private:
  using Argument = c10::Argument;
  std::string name() const { return op_.schema().name() + "." + op_.schema().overload_name(); }

  void each_tensor(const std::function<void(const Tensor&)>& body) const {
    for (const IValue& argument : arguments_)
      changed(argument, [&](const Tensor& tensor) { return body(tensor), tensor; });
  }

  // The CPU's tensors go along where they are one number, as LibTorch has it.
  Stack host_arguments() {
    Stack host;
    for (const IValue& argument : arguments_)
      host.push_back(changed(argument, [&](const Tensor& tensor) {
        if (is_there(tensor)) {
          touched_.push_back(extent_of(tensor));
          return bytes_of(tensor);
        }
        TORCH_CHECK(tensor.dim() == 0, name(), ": expected all tensors to be on the same device, found ", *device_,
                    " and cpu");
        Tensor copy;
        with_host_operators([&] { copy = tensor.clone(); });
        return copy;
      }));
    return host;
  }

  // Where the shape of a result, or a result that is no tensor, needs what a device has yet to compute.
  bool is_told_by_values() const {
    static const std::set<std::string> kNames{"aten::nonzero",  "aten::masked_select",      "aten::_unique2",
                                              "aten::equal",    "aten::unique_consecutive", "aten::unique_dim",
                                              "aten::bincount", "aten::is_nonzero",         "aten::repeat_interleave"};
    if (kNames.contains(op_.schema().name())) return true;
    if (op_.schema().name() != "aten::index" && op_.schema().name() != "aten::_index_put_impl_") return false;
    bool has_mask = false;
    for (const IValue& argument : arguments_)
      if (argument.isOptionalTensorList())
        changed(argument, [&](const Tensor& index) {
          has_mask = has_mask || index.scalar_type() == at::kBool || index.scalar_type() == at::kByte;
          return index;
        });
    return has_mask;
  }

  // The argument that a result is, for what works in place; a view would be one of other memory.
  std::optional<size_t> argument_of(const Argument& result) const {
    if (!result.alias_info()) return std::nullopt;
    TORCH_CHECK(result.alias_info()->isWrite(), name(), ": a view that simulated devices do not have");
    const auto& arguments = op_.schema().arguments();
    for (size_t i = 0; i < arguments.size(); ++i)
      if (arguments[i].alias_info() && arguments[i].alias_info()->beforeSets() == result.alias_info()->beforeSets())
        return i;
    TORCH_CHECK(false, name(), ": a result of unknown memory");
  }

  Tensor there_like(const Tensor& host) const {
    return at::empty_strided(host.sizes(), host.strides(), host.options().device(*device_));
  }

  // What a result is written to may have no elements yet, as LibTorch has it: it becomes as large as over zeros.
  void make_room() {
    const auto& returns = op_.schema().returns();
    for (size_t i = 0; i < returns.size(); ++i) {
      const auto argument =
          returns[i].alias_info() && returns[i].alias_info()->isWrite() ? argument_of(returns[i]) : std::nullopt;
      if (!argument || !arguments_[*argument].isTensor() || arguments_[*argument].toTensor().numel() > 0) continue;
      const Tensor made = results_over_zeros(host_arguments())[i].toTensor(), there = arguments_[*argument].toTensor();
      touched_.clear();
      if (made.numel() == 0) continue;
      there.resize_(made.sizes());
      there.unsafeGetTensorImpl()->set_sizes_and_strides(made.sizes(), made.strides());
    }
  }

  Stack run_now(const Stack& host) {
    wait(device_->index(), name());
    Stack results = host;
    with_host_operators([&] { op_.callBoxed(&results); });
    for (IValue& result : results)
      result = changed(result, [&](const Tensor& host_result) {
        Tensor there = there_like(host_result);
        with_host_operators([&] { bytes_of(there).copy_(host_result); });
        return there;
      });
    return results;
  }

  // Shapes of results are those over zeros.
  Stack results_over_zeros(const Stack& host) const {
    Stack results;
    with_host_operators([&] {
      for (const IValue& argument : host)
        results.push_back(changed(argument, [](const Tensor& tensor) {
          return at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options()).zero_();
        }));
      op_.callBoxed(&results);
    });
    return results;
  }

  Stack run_later(const Stack& host) {
    const auto& returns = op_.schema().returns();
    std::vector<std::optional<size_t>> in_place;
    for (const Argument& result : returns) in_place.push_back(argument_of(result));
    Stack results(returns.size());
    const bool makes_tensors = std::ranges::any_of(in_place, [](const auto& argument) { return !argument; });
    if (makes_tensors) results = results_over_zeros(host);
    std::vector<IValue> into(returns.size());
    for (size_t i = 0; i < returns.size(); ++i) {
      if (in_place[i]) {
        results[i] = arguments_[*in_place[i]];
        continue;
      }
      results[i] = changed(results[i], [&](const Tensor& tensor) { return there_like(tensor); });
      into[i] = changed(results[i], [&](const Tensor& tensor) {
        touched_.push_back(extent_of(tensor));
        return bytes_of(tensor);
      });
    }
    queue(device_->index(), name(), touched_, [op = op_, host, into = std::move(into)] {
      Stack made = host;
      op.callBoxed(&made);
      for (size_t i = 0; i < into.size(); ++i) {
        if (into[i].isTensor() && into[i].toTensor().defined()) into[i].toTensor().copy_(made[i].toTensor());
        if (!into[i].isTensorList()) continue;
        const auto to = into[i].toTensorVector(), from = made[i].toTensorVector();
        for (size_t t = 0; t < to.size(); ++t) to[t].copy_(from[t]);
      }
    });
    return results;
  }

  c10::OperatorHandle op_;
  Stack arguments_;
  std::optional<c10::Device> device_;
  std::vector<Extent> touched_;
};

void fallback(const c10::OperatorHandle& op, Stack* stack) { Call(op, *stack).run(*stack); }

TORCH_LIBRARY_IMPL(_, CUDA, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>()); }

}  // namespace
}  // namespace sft::test::simulated
