// An index of several files, beside two files of which it may be right.
#include "fuzz/json_mutator.h"
#include "fuzz/targets/tensors.h"
#include "trainer/checkpoint/safetensors.h"

SFT_FUZZ_JSON(input) {
  using namespace sft;
  static const bool made = [] {
    float values[] = {1, 2};
    const auto write = [&](const char* name, const char* tensor) {
      const std::string path = fuzz::folder().path() + "/" + name;
      write_safetensors(real_files(), path, {{tensor, "F32", {2}, values, sizeof values}}, {});
    };
    write("one.safetensors", "a");
    write("two.safetensors", "b");
    return true;
  }();
  (void)made;
  fuzz::folder().put("model.safetensors.index.json", input);
  fuzz::allow_errors([&] {
    const WeightFiles files(fuzz::folder().path());
    for (const std::string& name : files.names())
      if (files.find(name)->bytes != 8 || files.path_of(name).empty()) __builtin_trap();
  });
}
