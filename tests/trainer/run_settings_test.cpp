#include "trainer/assembly/run_settings.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace sft {
namespace {

class MicroBatch : public testing::Test {
 protected:
  ~MicroBatch() override { at::set_num_threads(before_); }

  int64_t with_threads(int threads, at::DeviceType device = at::kCPU) const {
    at::set_num_threads(threads);
    return micro_batch_tokens(config, device);
  }

  RunConfig config;

 private:
  int before_ = at::get_num_threads();
};

TEST_F(MicroBatch, GrowsWithTheThreadsOfARankUpToABound) {
  EXPECT_EQ(with_threads(1), 1024);
  EXPECT_EQ(with_threads(3), 3072);
  EXPECT_EQ(with_threads(16), 8192);
}

TEST_F(MicroBatch, DoesNotKnowTheThreadsWhereBitsAreToBeTheSameOnAnyRanks) {
  config.deterministic = true;
  EXPECT_EQ(with_threads(1), 1024);
  EXPECT_EQ(with_threads(16), 1024);
}

TEST_F(MicroBatch, OfImagesAndOnAGpuIsOfOneSize) {
  EXPECT_EQ(with_threads(16, at::kCUDA), 32768);
  config.model.task = "image_classification";
  EXPECT_EQ(with_threads(1), 64);
  EXPECT_EQ(with_threads(16), 64);
  EXPECT_EQ(with_threads(1, at::kCUDA), 512);
}

TEST_F(MicroBatch, IsWhatTheConfigSays) {
  config.train.max_tokens_per_micro_batch = 77;
  EXPECT_EQ(with_threads(4), 77);
  EXPECT_EQ(with_threads(4, at::kCUDA), 77);
}

}  // namespace
}  // namespace sft
