// Kernels compiled once for each generation of x86 CPUs; which of them runs is settled at start. One binary then serves
// a whole cluster.
//
//   void kernel(const Work& work) {
//     on_widest_vectors([&]<int Bytes>() { body<Bytes>(work); });
//   }
//
// `flatten` pulls the lambda and all that it calls into each version. A version works in vectors that its registers
// hold: wider ones would live on the stack.
//
// Kernel sources are torch-free and compiled with -O3 and leave to reorder sums (trainer/CMakeLists.txt).
#pragma once

namespace sft {

#if defined(__x86_64__)

template <class Kernel>
__attribute__((target("arch=x86-64-v4"), flatten)) void on_vectors_of_64(const Kernel& kernel) {
  kernel.template operator()<64>();
}
template <class Kernel>
__attribute__((target("arch=x86-64-v3"), flatten)) void on_vectors_of_32(const Kernel& kernel) {
  kernel.template operator()<32>();
}
template <class Kernel>
__attribute__((flatten)) void on_vectors_of_16(const Kernel& kernel) {
  kernel.template operator()<16>();
}

inline bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
inline bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}

template <class Kernel>
void on_widest_vectors(const Kernel& kernel) {
  static const int bytes = has_avx512() ? 64 : has_avx2() ? 32 : 16;
  if (bytes == 64) return on_vectors_of_64(kernel);
  if (bytes == 32) return on_vectors_of_32(kernel);
  on_vectors_of_16(kernel);
}

#else

template <class Kernel>
__attribute__((flatten)) void on_widest_vectors(const Kernel& kernel) {
  kernel.template operator()<16>();
}

#endif

}  // namespace sft
