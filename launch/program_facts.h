// What this process is made of and started with.
#pragma once

#include "comm/agreement.h"
#include "launch/command_line/command_line.h"

namespace sft {

// Build and versions of the program and of the libraries that its numbers come from, the variables of the environment
// that change numbers or choose the way of collectives, and the options of the command line. Variables that only set
// numbers of threads, OMP_NUM_THREADS among them, are a rank's own.
Facts program_facts(const Arguments& arguments);

// Which of its kernels LibTorch takes on this CPU: ranks of one model would otherwise make updates that differ in their
// last bits. ATEN_CPU_CAPABILITY evens them out.
Facts kernel_facts();

}  // namespace sft
