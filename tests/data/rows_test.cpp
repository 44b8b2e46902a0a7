// Samples know the row of the input that they were made of: a row may give several, or none.
#include <gtest/gtest.h>

#include <numeric>

#include "data/loading/loader.h"
#include "data/samples/stored_shard.h"
#include "hdf5_files.h"
#include "support/memory_dataset.h"

namespace sft::test {
namespace {

// Windows of five rows: two, none, one, three, none.
const std::vector<int64_t> kRows = {0, 0, 2, 3, 3, 3};

void write_windows(const std::string& path) {
  const ShardInfo info = sample_info();
  ShardWriter writer(path, info, real_files());
  for (size_t i = 0; i < kRows.size(); ++i) {
    Sample next = sample_of(info.schema, sample(static_cast<int64_t>(i)));
    next.row = kRows[i];
    writer.append(next);
  }
  writer.finish(5);
}

std::vector<int64_t> rows_of_samples(const Dataset& dataset) {
  Batch all(dataset.schema());
  for (int64_t i = 0; i < dataset.size(); ++i) {
    dataset.append(i, all);
    EXPECT_EQ(dataset.row(i), all.rows.back());
  }
  return all.rows;
}

TEST(Rows, AreKeptWhereTheyAreNotTheSamplesThemselves) {
  const Folder folder;
  write_windows(folder / "a.h5");
  const auto dataset = open_dataset({folder / "a.h5"});
  EXPECT_EQ(dataset->info().num_rows, 5);
  EXPECT_EQ(rows_of_samples(*dataset), kRows);
  verify(StoredShard(open_guarded(folder / "a.h5")));

  write_shard(folder / "plain.h5", 0, 6);
  EXPECT_EQ(open_guarded(folder / "plain.h5")->layout.dataset("rows"), nullptr);
  EXPECT_EQ(open_dataset({folder / "plain.h5"})->info().fingerprint, dataset->info().fingerprint)
      << "a row is no part of what a sample is";
}

TEST(Rows, CountOnOverShards) {
  const Folder folder;
  write_windows(folder / "a.h5");
  write_shard(folder / "b.h5", 0, 2);
  write_windows(folder / "c.h5");
  const auto dataset = open_dataset({folder / "a.h5", folder / "b.h5", folder / "c.h5"});
  EXPECT_EQ(dataset->info().num_rows, 12);
  EXPECT_EQ(rows_of_samples(*dataset), (std::vector<int64_t>{0, 0, 2, 3, 3, 3, 5, 6, 7, 7, 9, 10, 10, 10}));
}

// Mutation: cutting at samples alone parts the windows of a row.
TEST(Rows, MeetOnOneRankWithAllTheirSamplesInOrder) {
  const Schema schema = text_schema(label_column(2));
  for (const std::vector<int64_t>& rows : {kRows, {0, 0, 0, 0}, {1, 2, 2, 2, 2, 7}, {}, {4}}) {
    std::vector<Sample> samples;
    for (const int64_t row : rows) {
      samples.push_back(sample_of(schema, {.tokens = std::vector<int32_t>(1 + samples.size() % 3, 1)}));
      samples.back().row = row;
    }
    const MemoryDataset dataset(schema, samples, 9);
    for (int world = 1; world <= 7; ++world) {
      int64_t next_sample = 0, next_row = 0;
      for (int rank = 0; rank < world; ++rank) {
        const auto [first, end] = range_of(dataset, {rank, world});
        const auto [first_row, end_row] = rows_of(dataset, {rank, world});
        EXPECT_EQ(first, next_sample);
        EXPECT_EQ(first_row, next_row);
        next_sample = end;
        next_row = end_row;
        std::vector<int64_t> seen;
        const auto loader = make_eval_loader(dataset, {rank, world}, {.max_tokens = 4, .max_samples = 2});
        for (Batch batch; loader->next(batch);) {
          for (const int64_t row : batch.rows) EXPECT_TRUE(row >= first_row && row < end_row);
          seen.insert(seen.end(), batch.ids.begin(), batch.ids.end());
        }
        std::ranges::sort(seen);
        std::vector<int64_t> wanted(static_cast<size_t>(end - first));
        std::iota(wanted.begin(), wanted.end(), first);
        EXPECT_EQ(seen, wanted);
      }
      EXPECT_EQ(next_sample, dataset.size());
      EXPECT_EQ(next_row, 9);
    }
  }
}

}  // namespace
}  // namespace sft::test
