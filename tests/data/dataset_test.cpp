// What open_dataset promises of our shards.
#include "data/samples/dataset.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "base/crc32c.h"
#include "data/hdf5/format.h"
#include "data/samples/inspect.h"
#include "hdf5_files.h"

namespace sft::test {
namespace {

TEST(Dataset, ReadsAListOfShardsAsOneInTheOrderGiven) {
  const Folder folder;
  write_shard(folder / "0.h5", 0, 10);
  write_shard(folder / "1.h5", 10, 10);  // an empty one between
  write_shard(folder / "2.h5", 10, 37);
  for (const std::vector<std::string>& paths :
       {std::vector{folder / "0.h5", folder / "1.h5", folder / "2.h5"}, std::vector{folder.path()}}) {
    const auto dataset = open_dataset(paths);
    ASSERT_EQ(dataset->size(), 37);
    Text example;
    for (int64_t i = 0; i < 37; ++i) {
      example = text_of(*dataset, i);
      ASSERT_TRUE(example == sample(i)) << i;
      ASSERT_EQ(dataset->length(i), static_cast<int64_t>(example.tokens.size()));
    }
  }
}

TEST(Dataset, HasOneFingerprintForEqualContentHoweverItIsCut) {
  const Folder folder;
  write_shard(folder / "all.h5", 0, 500);
  write_shard(folder / "first.h5", 0, 123);
  write_shard(folder / "rest.h5", 123, 500);
  write_shard(folder / "other.h5", 124, 501);
  const auto print = [&](const std::vector<std::string>& paths) { return open_dataset(paths)->info().fingerprint; };
  const std::string all = print({folder / "all.h5"});
  EXPECT_EQ(all, print({folder / "first.h5", folder / "rest.h5"}));
  EXPECT_NE(all, print({folder / "rest.h5", folder / "first.h5"}));
  EXPECT_NE(all, print({folder / "first.h5", folder / "other.h5"}));
  EXPECT_NE(all, head_of(open_dataset({folder / "all.h5"}), 499)->info().fingerprint);
}

TEST(Dataset, RefusesShardsThatDisagree) {
  const Folder folder;
  write_shard(folder / "0.h5", 0, 10);
  ShardInfo other = sample_info();
  other.label_names = {"cat", "dog", "fish"};
  write_shard(folder / "1.h5", 10, 20, other);
  const std::string message = refusal<DataError>([&] { open_dataset({folder / "0.h5", folder / "1.h5"}); });
  EXPECT_NE(message.find("label names"), std::string::npos) << message;
  EXPECT_NE(message.find("1.h5"), std::string::npos);
  other = sample_info();
  other.tokenizer_sha256 = "else";
  write_shard(folder / "1.h5", 10, 20, other);
  EXPECT_NE(refusal<DataError>([&] {
              open_dataset({folder / "0.h5", folder / "1.h5"});
            }).find("tokenizer"),
            std::string::npos);
}

TEST(Dataset, NamesAFileThatIsNotThere) {
  const Folder folder;
  EXPECT_NE(refusal<ConfigError>([&] { open_dataset({folder / "none.h5"}); }).find("none.h5"), std::string::npos);
  EXPECT_NE(refusal<ConfigError>([&] { open_dataset({folder.path()}); }).find("no .h5 file"), std::string::npos);
  EXPECT_NE(refusal<ConfigError>([&] { open_dataset({}); }).find("no data file"), std::string::npos);
}

TEST(Dataset, EndsWhereItsHeadEnds) {
  const Folder folder;
  write_shard(folder / "0.h5", 0, 10);
  EXPECT_EQ(head_of(open_dataset({folder / "0.h5"}), 4)->size(), 4);
  EXPECT_EQ(head_of(open_dataset({folder / "0.h5"}), 400)->size(), 10);
}

TEST(Dataset, CountsTheBytesOfContentThatItReads) {
  const Folder folder;
  write_shard(folder / "0.h5", 0, 10);
  const auto dataset = open_dataset({folder / "0.h5"});
  dataset->length(3);
  EXPECT_EQ(dataset->bytes_read(), 0);
  const Text example = text_of(*dataset, 3);
  EXPECT_EQ(dataset->bytes_read(), static_cast<int64_t>(2 * example.tokens.size() + 8));
}

TEST(Dataset, IsReadByManyThreadsAtOnce) {
  const Folder folder;
  write_shard(folder / "0.h5", 0, 20'000);
  const auto dataset = open_dataset({folder / "0.h5"});
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Text example;
      for (int64_t i = 0; i < dataset->size(); i += 3) {
        example = text_of(*dataset, i);
        wrong[t] += example == sample(i) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::accumulate(wrong.begin(), wrong.end(), 0), 0);
}

// A shard with right checksums over wrong values: what only a hostile or broken writer makes.
struct Forged {
  std::vector<int32_t> tokens = {5, 6, 7, 8, 9};
  std::vector<int64_t> offsets = {0, 2, 5};
  std::vector<int64_t> labels = {0, 2};
  std::vector<float> weights = {1.0f, 0.5f};
};

std::string forged_refusal(const Forged& forged) {
  const Folder folder;
  const std::string path = folder / "forged.h5";
  {
    Hdf5File file(path);
    const auto text = [&](const char* name, const std::string& value) {
      const hdf5::TypeId type(H5Tcopy(H5T_C_S1));
      H5Tset_size(type.get(), value.size() + 1);
      const hdf5::Space one(H5Screate(H5S_SCALAR));
      const hdf5::AttributeId attribute(H5Acreate2(file.id(), name, type.get(), one.get(), H5P_DEFAULT, H5P_DEFAULT));
      H5Awrite(attribute.get(), type.get(), value.c_str());
    };
    const auto integer = [&](const char* name, int64_t value) {
      const hdf5::Space one(H5Screate(H5S_SCALAR));
      const hdf5::AttributeId attribute(
          H5Acreate2(file.id(), name, H5T_STD_I64LE, one.get(), H5P_DEFAULT, H5P_DEFAULT));
      H5Awrite(attribute.get(), H5T_NATIVE_INT64, &value);
    };
    text(format::kFormat, format::kName);
    text("tokenizer_sha256", "t");
    text(format::kLabelNames, "x");
    for (const auto& [name, value] :
         std::initializer_list<std::pair<const char*, int64_t>>{{format::kVersionAttribute, 1},
                                                                {format::kNumSamples, 2},
                                                                {format::kMaxLength, 4},
                                                                {"vocab_size", 100},
                                                                {"num_labels", 3},
                                                                {format::kContentHash, 1}})
      integer(name, value);
    std::vector<uint32_t> checksums;
    const auto add = [&](const char* name, const auto& values) {
      file.add(name, {values.size()}, values);
      checksums.push_back(crc32c(values.data(), values.size() * sizeof values[0]));
    };
    add("tokens", forged.tokens);
    add("offsets", forged.offsets);
    add("labels", forged.labels);
    add(format::kWeights, forged.weights);
    file.add(format::kChecksums, {checksums.size()}, checksums);
    file.close();
  }
  try {
    const auto dataset = open_dataset({path});
    for (int64_t i = 0; i < dataset->size(); ++i) text_of(*dataset, i);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Dataset, RefusesOffsetsLabelsTokensAndWeightsOutOfRange) {
  EXPECT_EQ(forged_refusal({}), "") << "the forger's own file must be good";
  const auto expect = [](const Forged& forged, const std::string& where) {
    const std::string message = forged_refusal(forged);
    EXPECT_NE(message.find(where), std::string::npos) << message;
  };
  const std::string offsets = "dataset 'offsets', sample ";
  expect({.offsets = {0, 3, 2}}, offsets + "1");
  expect({.offsets = {0, 0, 5}}, offsets + "0");
  expect({.offsets = {-1, 2, 5}}, offsets + "0");
  expect({.offsets = {0, 2, 6}}, offsets + "1");
  expect({.offsets = {0, 2, INT64_MAX}}, offsets + "1");
  expect({.tokens = {1, 2, 3, 4, 5, 6, 7}, .offsets = {0, 2, 7}}, offsets + "1");  // longer than max_length
  expect({.labels = {0, 3}}, "dataset 'labels', sample 1: 3 is outside 0 … 2");
  expect({.labels = {-1, 0}}, "dataset 'labels', sample 0: -1 is outside");
  expect({.tokens = {1, 2, 3, 100, 5}}, "dataset 'tokens', sample 1: 100 is outside 0 … 99");
  expect({.tokens = {1, -2, 3, 4, 5}}, "dataset 'tokens', sample 0: -2 is outside");
  expect({.weights = {1.0f, std::numeric_limits<float>::quiet_NaN()}}, "dataset 'weights', sample 1");
  expect({.weights = {-0.5f, 1.0f}}, "dataset 'weights', sample 0");
  expect({.labels = {0}}, "dataset 'labels': its shape is [1], and [2] belongs there");
}

TEST(Dataset, IsDescribedForPeople) {
  const Folder folder;
  write_shard(folder / "0.h5", 0, 1000);
  const std::string text = describe_hdf5(folder / "0.h5", true);
  for (const char* part : {"a shard of sft-dist", "'label_names'", "'guinea pig'", "'tokens'", "uint16 [",
                           "contiguous at", "verified: 1,000 samples"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

}  // namespace
}  // namespace sft::test
