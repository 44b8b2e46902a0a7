// Named places where a test may break the program: SFT_FAILPOINTS="rank=2;checkpoint.before_commit=kill"
// or "trainer.step@17=throw" (the 17th passage). Actions: kill (SIGKILL), stop (SIGSTOP), throw,
// sleep:SECONDS, errno:NUMBER (a StorageError with that errno). Without the variable a passage costs one load.
#pragma once

#include <string_view>

namespace sft {

// Called once by `launch`; parses SFT_FAILPOINTS for this rank.
void arm_failpoints(int rank);

// Acts if `name` is armed.
void failpoint(std::string_view name);

}  // namespace sft
