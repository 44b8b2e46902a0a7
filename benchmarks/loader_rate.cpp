// Samples a CPU second out of a shard, on one thread: the bare dataset, and the whole loader with dealing and
// packing. Rows in random order from the page cache, for two lengths and growing datasets of at most 2·10⁹ tokens (8
// GB). CPU time, so that other jobs on the machine do not count; the file's first rows are read with their checksums.
//
//   loader_rate FOLDER [ROWS...]     FOLDER: where shards of test rows are written and removed
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "data/loading/loader.h"
#include "data/samples/shard_writer.h"

namespace {

using namespace sft;

constexpr int64_t kMostTokens = 2'000'000'000, kSamples = 2'000'000;

void write(const std::string& path, int64_t rows, int64_t length) {
  ShardInfo info;
  info.max_length = 2 * length;
  info.schema = {.columns = {{.name = "tokens", .number = Number::int32, .axis = "token", .bound = 30'522},
                             {.name = "labels", .bound = 2, .role = Role::target}},
                 .units = {"token"}};
  info.label_names = {"a", "b"};
  ShardWriter writer(path, info, real_files());
  Sample sample(info.schema);
  for (int64_t i = 0; i < rows; ++i) {
    const auto count = static_cast<size_t>(1 + (i * 7919) % (2 * length - 1));  // mean: length
    sample.cells[0].set(std::vector<int32_t>(count, static_cast<int32_t>(i % 30'522)));
    sample.cells[1].set(i % 2);
    sample.row = i;
    writer.append(sample);
  }
  writer.finish();
}

class CpuStopwatch {
 public:
  double seconds() const { return static_cast<double>(std::clock() - start_) / CLOCKS_PER_SEC; }

 private:
  std::clock_t start_ = std::clock();
};

// Each sample is expected before it is read, as the loader does.
double raw_rate(const Dataset& dataset, const Sampler& sampler, int64_t samples) {
  constexpr int64_t kAhead = 8;
  int64_t coming[2 * kAhead];  // indices of the samples from i − 2 kAhead on, by their number modulo 2 kAhead
  Batch one(dataset.schema());
  const CpuStopwatch watch;
  for (int64_t i = 0; i < samples + 2 * kAhead; ++i) {
    int64_t& slot = coming[i % (2 * kAhead)];
    if (i >= 2 * kAhead) {
      one.clear();
      dataset.append(slot, one);
    }
    if (i >= kAhead && i < samples + kAhead) dataset.expect(coming[(i - kAhead) % (2 * kAhead)], Dataset::Soon::read);
    if (i >= samples) continue;
    slot = sampler.index(1 + i / dataset.size(), i % dataset.size());
    dataset.expect(slot, Dataset::Soon::length);
  }
  return static_cast<double>(samples) / watch.seconds();
}

double loader_rate(const Dataset& dataset, const Sampler& sampler, int64_t samples) {
  const auto loader =
      make_loader(dataset, sampler, {0, 1}, {.global_batch_size = 256, .max_tokens = 8192, .prefetch = 0}, 1);
  int64_t read = 0;
  const CpuStopwatch watch;
  while (read < samples) read += loader->next().global_samples;
  return static_cast<double>(read) / watch.seconds();
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return std::fprintf(stderr, "loader_rate FOLDER [ROWS...]\n"), 2;
  std::vector<int64_t> sizes;
  for (int i = 2; i < count; ++i) sizes.push_back(std::atoll(arguments[i]));
  if (sizes.empty()) sizes = {10'000, 1'000'000, 100'000'000};
  std::printf("%12s %8s %14s %14s %14s\n", "rows", "tokens", "first rows/s", "raw/s", "loader/s");
  for (const int64_t length : {12, 80}) {
    for (const int64_t rows : sizes) {
      if (rows * length > kMostTokens) continue;
      const std::string path = std::string(arguments[1]) + "/loader_rate.h5";
      write(path, rows, length);
      const auto dataset = open_dataset({path});
      const auto sampler = make_sampler("random", *dataset, 1, 256);
      const double first = raw_rate(*dataset, *sampler, std::min(rows, kSamples));
      const double raw = raw_rate(*dataset, *sampler, kSamples), loaded = loader_rate(*dataset, *sampler, 1'000'000);
      std::printf("%12lld %8lld %14.0f %14.0f %14.0f\n", static_cast<long long>(rows), static_cast<long long>(length),
                  first, raw, loaded);
      std::fflush(stdout);
      std::filesystem::remove(path);
    }
  }
}
