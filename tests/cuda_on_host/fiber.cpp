#include "tests/cuda_on_host/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <stdexcept>

// Keeps what a called function has to, on this stack; then goes on where another was left.
extern "C" void sft_switch_stack(void** left, void* entered);
asm(R"(
.text
.globl sft_switch_stack
.hidden sft_switch_stack
.type sft_switch_stack, @function
sft_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size sft_switch_stack, .-sft_switch_stack
)");

// Of the address sanitizer, where it is there.
extern "C" {
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** fake_stack, const void* bottom, size_t size);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* fake_stack, const void** bottom, size_t* size);
}

namespace sft::test::on_host {
namespace {

constexpr size_t kGuard = 4096, kStack = 256 << 10;
constexpr size_t kKept = 6;  // registers on a stack that was left
// Stacks begin at other distances from the edge of a page: at one, they would have the same few places in a cache.
constexpr size_t kApart = 1216, kFurthest = 64 << 10;

// The stack that fibers are entered from.
void* outside = nullptr;
const void* outside_bottom = nullptr;
size_t outside_size = 0;
Fiber* running = nullptr;
void (*next_body)() = nullptr;

// The sanitizer's own account of the stack that is left, kept on it; none is kept of what is left for good.
void about_to_switch(void** account, const void* bottom, size_t size) {
  if (__sanitizer_start_switch_fiber) __sanitizer_start_switch_fiber(account, bottom, size);
}
void have_switched(void* account, const void** bottom, size_t* size) {
  if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(account, bottom, size);
}

void first_step() {
  have_switched(nullptr, &outside_bottom, &outside_size);
  next_body();
  Fiber::leave(/*for_good=*/true);
}

}  // namespace

Fiber::Fiber() {
  void* const memory = ::mmap(nullptr, kGuard + kStack, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, /*fd=*/-1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory for the stack of a fiber");
  ::mprotect(memory, kGuard, PROT_NONE);
  stack_ = static_cast<std::byte*>(memory) + kGuard;
  static size_t number = 0;
  top_ = stack_ + kStack - number++ * kApart % kFurthest;
}

Fiber::~Fiber() { ::munmap(stack_ - kGuard, kGuard + kStack); }

void Fiber::begin(void (*body)()) {
  next_body = body;
  auto* const top = reinterpret_cast<uintptr_t*>(top_);
  top[-1] = 0;  // where first_step would return to, which it does not
  top[-2] = reinterpret_cast<uintptr_t>(&first_step);
  place_ = top - 2 - kKept;
}

void Fiber::enter() {
  void* account = nullptr;
  running = this;
  about_to_switch(&account, stack_, kStack);
  sft_switch_stack(&outside, place_);
  have_switched(account, nullptr, nullptr);
}

void Fiber::leave(bool for_good) {
  void* account = nullptr;
  about_to_switch(for_good ? nullptr : &account, outside_bottom, outside_size);
  sft_switch_stack(&running->place_, outside);
  have_switched(account, &outside_bottom, &outside_size);
}

}  // namespace sft::test::on_host
