// A function with a stack of its own, which is left and entered again where it stopped. Of x86-64, since ucontext.h
// makes two system calls a switch; under the address sanitizer too, which is told of each.
#pragma once

#include <cstddef>

namespace sft::test::on_host {

class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Begins anew: `body` is called when it is entered next, and ends by leave(), for good.
  void begin(void (*body)());
  // Runs it until it leaves; from outside of any fiber.
  void enter();
  // Back to where the running fiber was entered.
  static void leave(bool for_good = false);

 private:
  std::byte *stack_, *top_;
  void* place_ = nullptr;  // its stack pointer while it does not run
};

}  // namespace sft::test::on_host
