// A number that a device computes, and that its host reads while the device goes on with what it was given since.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>

#include <optional>

namespace sft {

class LateNumber {
 public:
  explicit LateNumber(const at::Tensor& scalar);

  // Waits until the number is there, and for nothing that was queued behind it.
  double value() const;

 private:
  at::Tensor on_host_;  // pinned, where a device writes it
  std::optional<c10::Event> there_;
};

}  // namespace sft
