// The list of element types.
#include "trainer/checkpoint/dtype.h"

#include <utility>

namespace sft {

int64_t bytes_of_dtype(std::string_view dtype) {
  constexpr std::pair<std::string_view, int64_t> kTypes[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2},
                                                             {"I64", 8}, {"I32", 4}, {"I16", 2}, {"I8", 1},
                                                             {"U8", 1},  {"BOOL", 1}};
  for (const auto& [name, bytes] : kTypes)
    if (name == dtype) return bytes;
  return 0;
}

}  // namespace sft
