// Shards that were written before they named their columns (data/version_1: by a program of version 1), and what they
// hold as h5py reads it.
#include <gtest/gtest.h>

#include "data/samples/stored_shard.h"
#include "hdf5_files.h"

namespace sft::test {
namespace {

std::string old_shard(const std::string& name) { return std::string(SFT_TESTS) + "/data/version_1/" + name + ".h5"; }

Batch batch_of(const Dataset& dataset, int64_t i) {
  Batch one(dataset.schema());
  dataset.append(i, one);
  return one;
}

TEST(Version1, NamesItsColumnsByARule) {
  const auto schema = [](const std::string& name) { return open_dataset({old_shard(name)})->schema(); };
  EXPECT_EQ(schema("pair"), text_schema(label_column(3), 116, /*segments=*/true));
  EXPECT_EQ(schema("label_set"), text_schema(label_set_column(3), 116));
  EXPECT_EQ(schema("values"), text_schema(values_column(2), 116));
  EXPECT_EQ(schema("token_labels"), text_schema(token_labels_column(3), 116));
  EXPECT_EQ(schema("image"),
            (Schema{.columns = {{.name = "pixels", .number = Number::uint8, .shape = {6, 8, 3}}, label_column(2)}}));
}

// The same samples, written anew, have the same fingerprint, so a checkpoint goes on with either.
TEST(Version1, HoldsWhatItHeldAndHashesAsItDid) {
  const Folder folder;
  for (const char* name : {"pair", "label_set", "values", "token_labels", "image"}) {
    const StoredShard old(open_guarded(old_shard(name)));
    verify(old);
    ShardInfo info;
    info.schema = old.schema();
    info.has_weights = old.info().has_weights;
    info.max_length = old.info().max_length;
    info.label_names = old.info().label_names;
    ShardWriter writer(folder / "new.h5", info, real_files());
    for (int64_t i = 0; i < old.size(); ++i) {
      const Batch one = batch_of(old, i);
      Sample sample(info.schema);
      sample.cells = one.columns;
      sample.weight = one.weights[0];
      sample.row = i;
      writer.append(sample);
    }
    writer.finish();
    const StoredShard anew(open_guarded(folder / "new.h5"));
    verify(anew);
    EXPECT_EQ(anew.info().fingerprint, old.info().fingerprint) << name;
    EXPECT_EQ(anew.schema(), old.schema()) << name;
    for (int64_t i = 0; i < old.size(); ++i) ASSERT_EQ(batch_of(anew, i).columns, batch_of(old, i).columns) << name;
  }
}

TEST(Version1, GivesTheNumbersThatH5pyReads) {
  const auto pair = open_dataset({old_shard("pair")});
  EXPECT_EQ(pair->info().fingerprint, "csr-24-273-05d8ba8291bec2f8");
  EXPECT_EQ(pair->info().label_names, (StringList{"größe", "no", "yes"}));
  EXPECT_EQ(text_of(*pair, 5), (Text{.tokens = {2, 10, 98, 97, 115, 18, 11, 29, 97, 29, 22, 3, 25, 3},
                                     .segments = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1},
                                     .label = 1,
                                     .weight = 0.5f}));
  EXPECT_EQ(text_of(*open_dataset({old_shard("label_set")}), 1).values, (std::vector<float>{0, 0, 1}));
  EXPECT_EQ(text_of(*open_dataset({old_shard("values")}), 3).values, (std::vector<float>{0.255007923f, -4.134901047f}));
  EXPECT_EQ(text_of(*open_dataset({old_shard("token_labels")}), 3).token_labels,
            (std::vector<int32_t>{-100, 1, 1, 1, 0, -100}));
  const Batch image = batch_of(*open_dataset({old_shard("image")}), 5);
  EXPECT_EQ(image.at("labels").as<int64_t>()[0], 1);
  const auto pixels = image.at("pixels").as<uint8_t>();
  EXPECT_EQ(std::vector<uint8_t>(pixels.begin(), pixels.begin() + 4), (std::vector<uint8_t>{193, 117, 132, 189}));
}

}  // namespace
}  // namespace sft::test
