#include "tests/cuda_on_host/queue.h"

#include <cstring>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "tests/comm/loopback/memory.h"
#include "tests/simulated_gpu/simulated_gpu.h"

namespace sft::test::on_host {

void queue(int device, std::function<void()> work) { simulated::queue(device, "a kernel", {}, std::move(work)); }

// A number is taken for a pointer where it lies among the 2³⁴ addresses of devices: one of 2³⁰. So is what is left of a
// pointer between members, which nobody reads.
void to_bytes(void* parameters, size_t size) {
  auto* const begin = static_cast<std::byte*>(parameters);
  for (size_t at = 0; at + sizeof(void*) <= size; at += sizeof(void*)) {
    void* place = nullptr;
    std::memcpy(&place, begin + at, sizeof place);
    if (loopback::is_of_host(place)) continue;
    place = loopback::bytes_at(place);
    std::memcpy(begin + at, &place, sizeof place);
  }
}

void refuse_launch(const char* kernel, const char* reason) {
  if (reason) throw DeviceError(concat(kernel, ": ", reason));
}

}  // namespace sft::test::on_host
