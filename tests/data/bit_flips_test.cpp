// A bit that is not as it was written, anywhere in a shard: told, or of no matter; never other samples.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "data/samples/dataset.h"
#include "hdf5_files.h"

namespace sft::test {
namespace {

std::vector<Text> samples_of(const std::string& path) {
  const auto dataset = open_dataset({path});
  std::vector<Text> samples;
  for (int64_t i = 0; i < dataset->size(); ++i) samples.push_back(text_of(*dataset, i));
  return samples;
}

TEST(BitFlips, OfAShardNeverGiveOtherSamples) {
  const Folder folder;
  ShardInfo info = sample_info();
  info.has_weights = true;
  write_shard(folder / "a.h5", 0, 200, info);
  const std::vector<Text> wanted = samples_of(folder / "a.h5");
  const std::string content = content_of(folder / "a.h5");
  std::mt19937_64 random(18);
  int told = 0;
  for (int i = 0; i < 500; ++i) {
    std::string damaged = content;
    const uint64_t bit = random() % (8 * content.size());
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    put_content(folder / "b.h5", damaged);
    try {
      ASSERT_EQ(samples_of(folder / "b.h5"), wanted) << "bit " << bit;
    } catch (const DataError&) {
      ++told;
    }
  }
  EXPECT_GT(told, 250) << "most bytes are of samples";
}

}  // namespace
}  // namespace sft::test
