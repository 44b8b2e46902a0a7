// Hostile and broken HDF5: a DataError that names file and place, never a crash.
#include "data/hdf5/guard.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>

#include "base/log.h"
#include "data/hdf5/bytes.h"
#include "data/hdf5/filters.h"
#include "data/samples/dataset.h"
#include "hdf5_files.h"

namespace sft::test {
namespace {

using hdf5::Properties;

class Guard : public ::testing::Test {
 protected:
  void expect_refused(const std::string& why) {
    const std::string message = refusal<DataError>([&] { open_guarded(path_); });
    EXPECT_NE(message.find(why), std::string::npos) << message;
    EXPECT_NE(message.find("hostile.h5"), std::string::npos) << message;
  }
  Folder folder_;
  std::string path_ = folder_ / "hostile.h5";
  const std::vector<int64_t> four_ = {1, 2, 3, 4};
};

TEST_F(Guard, RefusesWhatIsNoHdf5File) {
  put_content(path_, "");
  expect_refused("it is empty");
  put_content(path_, "id,label\n1,2\n");
  expect_refused("it begins with 'id,label'");
  put_content(path_, std::string("\x89HDF\r\n\x1a\n", 8) + std::string(2000, '\xFF'));
  expect_refused("cannot open it");
}

TEST_F(Guard, RefusesWhatIsNoFileWithoutWaitingForIt) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_NE(refusal<ConfigError>([&] { open_guarded(path_); }).find("is not a file"), std::string::npos);
  EXPECT_NE(refusal<ConfigError>([&] { open_guarded(folder_.path()); }).find("is not a file"), std::string::npos);
}

TEST_F(Guard, FollowsHardLinksOnly) {
  {
    Hdf5File file(path_);
    file.add("a", {4}, four_);
    H5Lcreate_soft("/a", file.id(), "b", H5P_DEFAULT, H5P_DEFAULT);
    file.close();
  }
  expect_refused("'b': is a soft link");
  {
    Hdf5File file(path_);
    H5Lcreate_external("/etc/passwd", "/a", file.id(), "b", H5P_DEFAULT, H5P_DEFAULT);
    file.close();
  }
  expect_refused("'b': is an external link");
}

TEST_F(Guard, NeverReadsAnotherFile) {
  {
    Hdf5File file(path_);
    const Properties creation(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_external(creation.get(), "/etc/passwd", 0, 32);
    file.add("labels", {4}, H5T_STD_I64LE, creation.get());
    file.close();
  }
  expect_refused("dataset 'labels': its bytes are in another file");
  {
    Hdf5File file(path_);
    const Properties creation(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t size = 4;
    const hdf5::Space space(H5Screate_simple(1, &size, nullptr));
    H5Pset_virtual(creation.get(), space.get(), "/etc/passwd", "x", space.get());
    file.add("labels", {4}, H5T_STD_I64LE, creation.get());
    file.close();
  }
  expect_refused("dataset 'labels': is a virtual dataset");
}

TEST_F(Guard, KnowsThreeFiltersOnly) {
  Hdf5File file(path_);
  const Properties creation(H5Pcreate(H5P_DATASET_CREATE));
  const hsize_t chunk = 4;
  H5Pset_chunk(creation.get(), 1, &chunk);
  H5Pset_scaleoffset(creation.get(), H5Z_SO_INT, 0);
  file.add("labels", {4}, H5T_STD_I64LE, creation.get(), H5T_NATIVE_INT64, four_.data());
  file.close();
  expect_refused("dataset 'labels': uses the filter scaleoffset");
}

TEST_F(Guard, RefusesDeclarationsFarBeyondWhatIsStored) {
  {
    Hdf5File file(path_);
    const Properties creation(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t chunk = 1 << 20;
    H5Pset_chunk(creation.get(), 1, &chunk);
    file.add("labels", {hsize_t{1} << 32}, H5T_STD_I64LE, creation.get());
    file.close();
  }
  expect_refused("dataset 'labels': declares 32.0 GiB and stores 0 B");
  {
    Hdf5File file(path_);
    const Properties creation(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t chunk[] = {1, 1};
    H5Pset_chunk(creation.get(), 2, chunk);
    file.add("labels", {hsize_t{1} << 40, hsize_t{1} << 40}, H5T_STD_I64LE, creation.get());  // overflows 64 bits
    file.close();
  }
  expect_refused("dataset 'labels': has more than 131072 chunks");
  {
    Hdf5File file(path_);
    file.add("labels", {1000}, H5T_STD_I64LE, H5P_DEFAULT);  // contiguous, never written
    file.close();
  }
  expect_refused("dataset 'labels': was declared and never written");
}

TEST_F(Guard, WalksARingOfGroupsOnce) {
  Hdf5File file(path_);
  {
    const hdf5::Group a(H5Gcreate2(file.id(), "a", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Lcreate_hard(file.id(), "a", a.get(), "again", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(file.id(), "/", a.get(), "root", H5P_DEFAULT, H5P_DEFAULT);
  }
  file.add("a/labels", {4}, four_);
  file.close();
  EXPECT_NO_THROW(open_guarded(path_)->dataset("a/labels"));
}

TEST_F(Guard, RefusesAUserBlock) {
  const Properties creation(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_userblock(creation.get(), 512);
  hdf5::File file(H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, creation.get(), H5P_DEFAULT));
  ASSERT_TRUE(file.close());
  expect_refused("is not an HDF5 file");  // its signature is not where it belongs
}

// Bytes all over a padded, compressed file flipped in turn, old-style metadata without checksums: every outcome is a
// DataError or a read that ends. (That chunks are damaged is often seen by zlib or fletcher32, and must not crash.)
TEST_F(Guard, SurvivesFlippedBytesOfAForeignFile) {
  const std::string good_path = folder_ / "good.h5";
  {
    Hdf5File file(good_path);
    const std::vector<int64_t> ids(16, 3), ones(16, 1), labels = {0, 1, 0, 1};
    const Hdf5File::Form form{.chunk = {2, 4}, .shuffle = true, .deflate = true, .fletcher32 = true};
    file.add("input_ids", {4, 4}, ids, form);
    file.add("attention_mask", {4, 4}, ones, form);
    file.add("labels", {4}, labels);
    file.close();
  }
  const std::string good = content_of(good_path);
  int refused = 0;
  log::start(1, 2);  // hundreds of announcements are for nobody
  for (size_t at = 0; at < good.size(); at += 29) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (at % 2 == 0 ? 0xFF : 1 << at % 8));
    put_content(path_, bad);
    try {
      const auto dataset = open_dataset({path_});
      for (int64_t i = 0; i < std::min<int64_t>(dataset->size(), 100); ++i) text_of(*dataset, i);
    } catch (const DataError& error) {
      ++refused;
      ASSERT_NE(std::string(error.what()).find("hostile.h5"), std::string::npos) << error.what();
    }
  }
  log::start(0, 1);
  EXPECT_GT(refused, 10);
}

// The library's pipeline hands out a chunk that decompresses to fewer bytes than it should; ours does not.
TEST(Filters, RefuseAChunkOfAnotherSizeThanItShouldBe) {
  hdf5::DatasetLayout dataset;
  dataset.filters = {{3, {}}};
  const std::vector<std::byte> tiny(3);
  EXPECT_THROW(hdf5::unfiltered(tiny, dataset, {}, 8), std::runtime_error);
  dataset.filters = {{1, {6}}};
  EXPECT_THROW(hdf5::unfiltered(tiny, dataset, {}, 8), std::runtime_error);
  dataset.filters = {};
  EXPECT_THROW(hdf5::unfiltered(tiny, dataset, {}, 8), std::runtime_error);
  EXPECT_EQ(hdf5::unfiltered(tiny, dataset, {}, 3).size(), 3u);
}

TEST(Bytes, AreTheSameMappedAndByPosition) {
  const Folder folder;
  write_shard(folder / "a.h5", 0, 1000);
  const auto file = open_guarded(folder / "a.h5");
  const hdf5::DatasetLayout& tokens = file->dataset("tokens");
  const auto mapped = hdf5::mapped_bytes(file, tokens), positioned = hdf5::positioned_bytes(file, tokens);
  ASSERT_EQ(mapped->size(), positioned->size());
  std::vector<std::byte> a(static_cast<size_t>(mapped->size())), b = a;
  mapped->read(0, mapped->size(), a.data());
  positioned->read(0, positioned->size(), b.data());
  EXPECT_EQ(a, b);
  mapped->read(101, 7, a.data());
  EXPECT_EQ(std::memcmp(a.data(), b.data() + 101, 7), 0);
}

}  // namespace
}  // namespace sft::test
