// The __shared__ variables of the kernels.
#pragma once

namespace sft::test::on_host {

// Fills all of them with what is no number in any floating-point type, and −1 in the others.
void poison_shared_memory();

}  // namespace sft::test::on_host
