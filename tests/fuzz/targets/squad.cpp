// SQuAD's JSON, which is walked without being held.
#include "fuzz/targets/rows.h"

SFT_FUZZ(input) {
  sft::fuzz::allow_errors([&] {
    const std::string path = sft::fuzz::folder().put("rows.json", input);
    sft::fuzz::rows_of(path, {}, static_cast<int64_t>(input.size()), sft::Quotes::enclose);
  });
}
