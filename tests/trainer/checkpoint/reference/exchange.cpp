// Hands tensors to the Python reference and takes them from it:
//   exchange copy IN OUT.safetensors                  read, of either format, and write
//   exchange save IN_DIR OUTPUT_DIR RANKS             the weights of a directory, as checkpoint-5 of a run
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "base/errors.h"
#include "comm/make_communicator.h"
#include "trainer/checkpoint/checkpoints.h"
#include "trainer/checkpoint/safetensors.h"

namespace {

using namespace sft;

void copy(const std::string& from, const std::string& to) {
  const auto file = open_tensor_file(from);
  write_safetensors(real_files(), to, file->tensors(), file->metadata());
}

void save(const std::string& from, const std::string& run, int ranks) {
  const WeightFiles weights(from);
  CheckpointContent content;
  content.step = 5;
  content.state = {{"global_step", 5}};
  for (const std::string& name : weights.names()) content.model.push_back(*weights.find(name));
  content.optimizer = {content.model.front()};
  content.files = {{"config.json", read_file(from + "/config.json")}};
  spawn_ranks(ranks, [&](Communicator& control) {
    const CutSizes small{.model_file_bytes = 8192, .optimizer_slice_bytes = 256};
    if (!Checkpoints(run, {}, control, real_files(), small).save(content))
      throw Error(ExitCode::cannot_write, "not saved");
  });
}

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + 1, words + count);
  try {
    if (arguments.size() == 3 && arguments[0] == "copy") return copy(arguments[1], arguments[2]), 0;
    if (arguments.size() == 4 && arguments[0] == "save")
      return save(arguments[1], arguments[2], std::stoi(arguments[3])), 0;
    std::cerr << "exchange copy IN OUT | exchange save IN_DIR OUTPUT_DIR RANKS\n";
    return 2;
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
}
