// A bit that is not as it was written, anywhere in a checkpoint: it is told.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/temporary_directory.h"
#include "comm/make_communicator.h"
#include "trainer/checkpoint/sample_training.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

void flip(const fs::path& file, uint64_t bit) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  char byte = 0;
  stream.seekg(static_cast<std::streamoff>(bit / 8)).read(&byte, 1);
  byte = static_cast<char>(byte ^ (1 << (bit % 8)));
  stream.seekp(static_cast<std::streamoff>(bit / 8)).write(&byte, 1);
}

// Whether the checkpoint loads; what it holds then is as it was saved.
bool loads(const std::string& run, int64_t step) {
  bool loaded = false;
  try {
    spawn_ranks(1, [&](Communicator& control) {
      Checkpoints checkpoints(run, {}, control, real_files());
      SampleTraining training(step);
      const auto expected = training.bytes();
      training.clear();
      const FoundCheckpoint found = checkpoints.open(run + "/checkpoint-" + std::to_string(step));
      checkpoints.load(found, training.content().model, training.content().optimizer);
      EXPECT_EQ(found.step, step);
      EXPECT_EQ(training.bytes(), expected);
      loaded = true;
    });
  } catch (const Error&) {
  }
  return loaded;
}

TEST(BitFlips, OfACheckpointNeverGiveOtherWeights) {
  const TemporaryDirectory run;
  spawn_ranks(3, [&](Communicator& control) {
    ASSERT_TRUE(Checkpoints(run.path(), {}, control, real_files(), kSmallCuts).save(SampleTraining(7).content()));
  });
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(run.path("checkpoint-7"))) files.push_back(entry.path());
  ASSERT_GT(files.size(), 5u);
  std::mt19937_64 random(18);
  int unseen = 0;
  for (int i = 0; i < 500; ++i) {
    const fs::path& file = files[random() % files.size()];
    const uint64_t bit = random() % (8 * fs::file_size(file));
    flip(file, bit);
    if (loads(run.path(), 7)) ++unseen;
    if (HasFailure()) FAIL() << file << ", bit " << bit;
    flip(file, bit);
  }
  EXPECT_TRUE(loads(run.path(), 7)) << "all bits stand as they stood";
  EXPECT_EQ(unseen, 0) << "every byte of a checkpoint is under a checksum";
}

}  // namespace
}  // namespace sft
