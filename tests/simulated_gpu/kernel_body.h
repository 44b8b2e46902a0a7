// Our kernels (trainer/models/cuda/kernels.h) have host bodies here, each a plain reading of its contract in
// device_kernels.h. What these share: types, memory, random bits.
#pragma once

#include <c10/util/BFloat16.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/comm/loopback/memory.h"
#include "tests/simulated_gpu/simulated_gpu.h"
#include "trainer/models/blocks/device_kernels.h"
#include "trainer/models/blocks/keep_bits.h"

namespace sft::test::simulated {

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

// Queues `body`, which is called with a zero of the type.
template <class Body>
void queue_kernel(int device, Real type, const char* name, Body body) {
  queue(device, name, {}, [=] {
    if (type == Real::f64) return body(double{});
    if (type == Real::f32) return body(float{});
    body(c10::BFloat16{});
  });
}

// `count` values of a device; an exception, and by it the device's fault, where it may not touch them.
template <class T>
T* values(int device, const void* place, int64_t count) {
  if (!place) return nullptr;
  if (!loopback::is_of_device(place, static_cast<size_t>(count) * sizeof(T), device))
    throw std::runtime_error("memory that the device may not touch");
  return static_cast<T*>(const_cast<void*>(loopback::bytes_at(place)));
}

// The factors of `count` elements of a row of a mask, from its first.
template <class A>
std::vector<A> factors(const DropoutKey& key, const DropRate& rate, const BitsRow& row, int64_t count) {
  std::vector<A> all(static_cast<size_t>(count), A(1));
  if (!rate.drops()) return all;
  std::vector<uint16_t> bits(static_cast<size_t>(bits_size(count)));
  draw_bits<16>(key, row, 0, bits_groups(count), bits.data());
  for (size_t i = 0; i < all.size(); ++i) all[i] = bits[i] >= rate.threshold ? A(rate.scale) : A(0);
  return all;
}

// Keys begin … end of its sequence, which the query at `place` sees.
struct SeenKeys {
  int64_t begin, end;
  SeenKeys(const DeviceMask& mask, int64_t place, int64_t num_keys) : begin(0), end(num_keys) {
    if (mask.window > 0) {
      begin = std::max<int64_t>(place - mask.window, 0);
      end = std::min(place + mask.window + 1, num_keys);
    }
    if (mask.causal) end = std::min(place + 1, end);
    begin = std::min(begin, end);
  }
  bool has(int64_t key) const { return key >= begin && key < end; }
};

}  // namespace sft::test::simulated
