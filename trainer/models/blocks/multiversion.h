// Kernels compiled once for each generation of x86 CPUs; the loader picks at start. One binary then serves a
// whole cluster. `flatten` pulls the templates that a kernel calls into each version of it.
//
// Kernel sources are torch-free and compiled with -O3 and leave to reorder sums (trainer/CMakeLists.txt).
#pragma once

#if defined(__x86_64__)
#define SFT_EVERY_CPU __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), flatten))
#else
#define SFT_EVERY_CPU __attribute__((flatten))
#endif
