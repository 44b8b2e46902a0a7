// What ShardWriter promises: what is read back, and what is left after a failure.
#include <gtest/gtest.h>

#include <cerrno>

#include "data/hdf5/format.h"
#include "data/samples/dataset.h"
#include "data/samples/stored_shard.h"
#include "hdf5_files.h"

namespace sft::test {
namespace {

Text read(const Dataset& dataset, int64_t i) {
  for (const auto soon : {Dataset::Soon::length, Dataset::Soon::read}) dataset.expect(i, soon);  // asserts its bounds
  return text_of(dataset, i);
}

// Sample i, of row i.
Sample row(int64_t i) {
  Sample out = sample_of(sample_info().schema, sample(i));
  out.row = i;
  return out;
}

TEST(Shard, GivesBackEverySampleInOrder) {
  const Folder folder;
  ShardInfo info = sample_info();
  info.schema = text_schema(label_column(3), 30000, /*segments=*/true);
  info.has_weights = true;
  write_shard(folder / "a.h5", 0, 3000, info);
  const auto dataset = open_dataset({folder / "a.h5"});
  ASSERT_EQ(dataset->size(), 3000);
  for (int64_t i = 0; i < dataset->size(); ++i) {
    ASSERT_TRUE(read(*dataset, i) == sample(i, info)) << i;
    ASSERT_EQ(dataset->length(i), static_cast<int64_t>(sample(i, info).tokens.size()));
    ASSERT_EQ(dataset->weight(i), sample(i, info).weight);
    ASSERT_EQ(dataset->row(i), i);
    for (size_t c = 0; c < info.schema.columns.size(); ++c) {
      Packed alone(info.schema.columns[c].number);
      dataset->append(i, c, alone);
      ASSERT_EQ(alone, sample_of(info.schema, sample(i, info)).cells[c]);
    }
  }
  EXPECT_EQ(dataset->info().label_names, info.label_names);
  EXPECT_EQ(dataset->schema(), info.schema);
  EXPECT_EQ(dataset->info().max_length, 64);
  EXPECT_EQ(dataset->info().tokenizer_sha256, "0123abcd");
}

TEST(Shard, KeepsTargetsOfEveryForm) {
  for (const auto& [target, of_any_size] :
       std::initializer_list<std::pair<Column, Column>>{{label_set_column(3), label_set_column(0)},
                                                        {values_column(2), values_column(0)},
                                                        {values_column(1), values_column(0)},
                                                        {token_labels_column(3), token_labels_column(0)}}) {
    const Folder folder;
    ShardInfo info = sample_info();
    info.schema = text_schema(target, 30000);
    info.has_weights = true;
    if (target.name == "values") info.label_names.clear();
    write_shard(folder / "a.h5", 0, 500, info);
    write_shard(folder / "b.h5", 500, 700, info);
    const auto dataset = open_dataset({folder / "a.h5", folder / "b.h5"}, {{.column = of_any_size}});
    ASSERT_EQ(dataset->schema(), info.schema);
    for (int64_t i = 0; i < 700; ++i) ASSERT_TRUE(read(*dataset, i) == sample(i, info)) << i;
    verify(StoredShard(open_guarded(folder / "a.h5")));
    EXPECT_NE(
        refusal<DataError>([&] {
          open_dataset({folder / "a.h5"}, {{.column = label_column(0)}});
        }).find("a.h5' has no column 'labels' (int64), which is wanted here; it has 'tokens' (int32 along token)"),
        std::string::npos);

    write_shard(folder / "whole.h5", 0, 700, info);
    EXPECT_EQ(open_dataset({folder / "whole.h5"})->info().fingerprint, dataset->info().fingerprint);
    info.schema = sample_info().schema;
    write_shard(folder / "b.h5", 500, 700, info);
    EXPECT_NE(refusal<DataError>([&] {
                open_dataset({folder / "a.h5", folder / "b.h5"});
              }).find("has other "),
              std::string::npos);
  }
}

TEST(Shard, RefusesTargetsOutOfRange) {
  const Folder folder;
  const auto damaged = [&](const Column& target, const std::string& from, const std::string& to) {
    ShardInfo info = sample_info();
    info.schema = text_schema(target, 30000);
    info.label_names = {};
    ShardWriter writer(folder / "a.h5", info, real_files());
    writer.append(sample_of(info.schema, {.tokens = {1, 2}, .values = {1.0f}, .token_labels = {0, 1}}));
    writer.finish();
    const auto file = open_guarded(folder / "a.h5");
    const hdf5::DatasetLayout& labels = file->dataset(target.name);
    std::string content = content_of(folder / "a.h5");
    EXPECT_EQ(content.substr(static_cast<size_t>(labels.offset), from.size()), from);
    content.replace(static_cast<size_t>(labels.offset), from.size(), to);
    put_content(folder / "a.h5", content);
    return refusal<DataError>([&] { read(*open_dataset({folder / "a.h5"}), 0); });
  };
  using std::string;
  // Its checksum is compared first; what is beyond that is a file that somebody else wrote with care.
  EXPECT_NE(damaged(label_set_column(1), "\x01", "\x02").find("dataset 'labels'"), string::npos);
  EXPECT_NE(damaged(values_column(1), string("\0\0\x80\x3F", 4), string("\0\0\xC0\x7F", 4)).find("dataset 'values'"),
            string::npos);
  EXPECT_NE(damaged(token_labels_column(0), string("\0\0\0\0\1", 5), string("\7\0\0\0\1", 5)).find("dataset 'labels'"),
            string::npos);
}

// As where only the second half of a text is learned.
TEST(Shard, KeepsTargetsOfSomeTokensAlone) {
  const Folder folder;
  ShardInfo info = sample_info();
  info.schema = text_schema(token_labels_column(30000), 30000);
  info.label_names = {};
  const Text text{.tokens = {5, 6, 7, 8}, .token_labels = {kNoTarget, kNoTarget, 7, 29999}};
  ShardWriter writer(folder / "a.h5", info, real_files());
  writer.append(sample_of(info.schema, text));
  writer.finish();
  EXPECT_EQ(text_of(*open_dataset({folder / "a.h5"}), 0), text);
}

// The text of a row, for whoever shows its prediction: of any length, also of none, and no part of the hash.
TEST(Shard, KeepsNotesOutsideOfItsContentHash) {
  const Folder folder;
  ShardInfo info = sample_info();
  write_shard(folder / "plain.h5", 0, 3, info);
  info.schema.columns.push_back({.name = "text", .number = Number::uint8, .axis = "byte", .role = Role::note});
  ShardWriter writer(folder / "a.h5", info, real_files());
  const std::vector<std::vector<uint8_t>> notes = {{'h', 'i'}, {}, {'!'}};
  for (int64_t i = 0; i < 3; ++i) {
    Sample next(info.schema);
    const Sample plain = row(i);
    for (size_t c = 0; c < plain.cells.size(); ++c) next.cells[c] = plain.cells[c];
    next.cells[2].set(notes[static_cast<size_t>(i)]);
    next.row = i;
    writer.append(next);
  }
  writer.finish();
  const auto dataset = open_dataset({folder / "a.h5"});
  verify(StoredShard(open_guarded(folder / "a.h5")));
  EXPECT_EQ(dataset->info().fingerprint, open_dataset({folder / "plain.h5"})->info().fingerprint);
  EXPECT_EQ(dataset->schema(), info.schema);
  for (int64_t i = 0; i < 3; ++i) {
    Packed note(Number::uint8);
    dataset->append(i, 2, note);
    EXPECT_EQ(note, Packed::of(notes[static_cast<size_t>(i)]));
    EXPECT_EQ(dataset->length(i), static_cast<int64_t>(sample(i).tokens.size())) << "notes are no units";
  }
}

TEST(Shard, KeepsTokensAboveSixteenBits) {
  const Folder folder;
  ShardInfo info = sample_info();
  info.schema.columns[0].bound = 250'002;
  write_shard(folder / "a.h5", 0, 50, info);
  const auto dataset = open_dataset({folder / "a.h5"});
  for (int64_t i = 0; i < 50; ++i) ASSERT_TRUE(read(*dataset, i) == sample(i, info));
}

TEST(Shard, KeepsNamesOfAnyBytesAndHoweverMany) {
  const Folder folder;
  ShardInfo info = sample_info();
  info.label_names.clear();
  for (int i = 0; i < 3000; ++i)
    info.label_names.push_back(std::string(50, 'x') + "\n\"ü" + std::string(1, '\0') + std::to_string(i));
  write_shard(folder / "a.h5", 0, 5, info);  // 200 KB of names: more than fits an object header
  EXPECT_EQ(open_dataset({folder / "a.h5"})->info().label_names, info.label_names);
}

TEST(Shard, MayBeEmpty) {
  const Folder folder;
  write_shard(folder / "a.h5", 0, 0);
  EXPECT_EQ(open_dataset({folder / "a.h5"})->size(), 0);
}

TEST(Shard, LiesAlignedAndContiguousForReadersThatMapIt) {
  const Folder folder;
  write_shard(folder / "a.h5", 0, 40'000);
  const auto file = open_guarded(folder / "a.h5");
  for (const char* name : {"tokens", "token_offsets", "labels"}) {
    EXPECT_EQ(file->dataset(name).storage, hdf5::Storage::contiguous);
    EXPECT_EQ(file->dataset(name).offset % static_cast<int64_t>(format::kAlignment), 0) << name;
  }
}

TEST(Shard, LeavesNothingWhenItIsNotFinished) {
  const Folder folder;
  {
    ShardWriter writer(folder / "a.h5", sample_info(), real_files());
    for (int64_t i = 0; i < 100; ++i) writer.append(row(i));
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(Shard, ReplacesWhatAKilledWriterLeft) {
  const Folder folder;
  put_content(folder / "a.h5.tmp", "half");
  put_content(folder / "a.h5.layout.tmp", "half");
  write_shard(folder / "a.h5", 0, 10);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.h5"});
}

// Fails the n-th call.
class FailingFiles : public FileOps {
 public:
  explicit FailingFiles(int n) : left_(n) {}
  int create(const std::string& path, int64_t bytes) override {
    count();
    return FileOps::create(path, bytes);
  }
  void write(int descriptor, const void* data, size_t size, int64_t offset, const std::string& path) override {
    count();
    FileOps::write(descriptor, data, size, offset, path);
  }
  void sync(int descriptor, const std::string& path) override {
    count();
    FileOps::sync(descriptor, path);
  }
  void close(int descriptor, const std::string& path) override {
    FileOps::close(descriptor, path);
    count();
  }
  void rename(const std::string& from, const std::string& to) override {
    count();
    FileOps::rename(from, to);
  }
  void sync_directory(const std::string& path) override {
    count();
    FileOps::sync_directory(path);
  }
  bool failed() const { return left_ < 0; }

 private:
  void count() {
    if (--left_ == -1) throw StorageError("no space left on device");
  }
  int left_;
};

// Mutation: FileOps::write replaced by a bare ::pwrite in Output::write lets most of the failures pass unseen.
TEST(Shard, IsWholeOrAbsentWhicheverOperationFails) {
  int failures = 0;
  for (int n = 0;; ++n) {
    const Folder folder;
    write_shard(folder / "a.h5", 0, 5);
    FailingFiles files(n);
    bool thrown = false;
    try {
      ShardWriter writer(folder / "a.h5", sample_info(), files);
      for (int64_t i = 0; i < 300; ++i) writer.append(row(i));
      writer.finish();
    } catch (const StorageError&) {
      thrown = true;
    }
    EXPECT_EQ(folder.names(), std::vector<std::string>{"a.h5"}) << n;
    const int64_t size = open_dataset({folder / "a.h5"})->size();
    EXPECT_TRUE(size == 300 || (thrown && size == 5)) << n;  // the directory's sync may fail after the rename
    EXPECT_EQ(thrown, files.failed()) << n;
    if (!files.failed()) break;
    ++failures;
  }
  EXPECT_GT(failures, 10);
}

TEST(Shard, IsRefusedWithItsPlaceWhereADatasetsByteIsFlipped) {
  const Folder folder;
  write_shard(folder / "a.h5", 0, 40'000);  // tokens: 2.6 MB, three blocks
  const int64_t offset = open_guarded(folder / "a.h5")->dataset("tokens").offset;
  std::string content = content_of(folder / "a.h5");
  content[static_cast<size_t>(offset + format::kBlockBytes + 17)] ^= 4;
  put_content(folder / "a.h5", content);
  const auto dataset = open_dataset({folder / "a.h5"});
  EXPECT_TRUE(read(*dataset, 0) == sample(0)) << "another block is still good";
  const std::string message = refusal<DataError>([&] {
    for (int64_t i = 0; i < dataset->size(); ++i) read(*dataset, i);
  });
  EXPECT_NE(message.find("a.h5"), std::string::npos);
  EXPECT_NE(message.find("dataset 'tokens', block 1 "), std::string::npos) << message;
}

// Bytes all over a small file, each flipped in turn: nothing crashes, and no wrong sample is ever read.
// Mutation: without checked_bytes, hundreds of flips give other tokens.
TEST(Shard, NeverGivesAWrongSampleWhereAByteIsFlipped) {
  const Folder folder;
  constexpr int64_t kSamples = 4;
  write_shard(folder / "good.h5", 0, kSamples);
  const std::string good = content_of(folder / "good.h5");
  const std::string path = folder / "flipped.h5";
  int refused = 0, tried = 0;
  for (size_t at = 0; at < good.size(); at += 23) {  // prime to the sizes of fields
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
    put_content(path, bad);
    ++tried;
    try {
      const auto dataset = open_dataset({path});
      ASSERT_EQ(dataset->size(), kSamples) << at;
      ASSERT_EQ(dataset->info().label_names, sample_info().label_names) << at;
      for (int64_t i = 0; i < kSamples; ++i) ASSERT_TRUE(read(*dataset, i) == sample(i)) << "byte " << at;
    } catch (const DataError& error) {
      ++refused;
      ASSERT_NE(std::string(error.what()).find("flipped.h5"), std::string::npos) << error.what();
    }
  }
  EXPECT_GT(refused, tried / 4);
}

TEST(Shard, IsRefusedWhereverItIsCutShort) {
  const Folder folder;
  write_shard(folder / "good.h5", 0, 4);
  const std::string good = content_of(folder / "good.h5");
  for (size_t size = 0; size < good.size(); size += 211) {
    put_content(folder / "cut.h5", good.substr(0, size));
    EXPECT_NE(refusal<DataError>([&] { open_dataset({folder / "cut.h5"}); }).find("cut.h5"), std::string::npos) << size;
  }
}

TEST(Shard, VerifiesAgainstItsContentHash) {
  const Folder folder;
  for (const bool segments : {false, true}) {
    for (const bool weights : {false, true}) {
      ShardInfo info = sample_info();
      info.schema = text_schema(label_column(3), 30000, segments);
      info.has_weights = weights;
      write_shard(folder / "a.h5", 0, 100, info);
      verify(StoredShard(open_guarded(folder / "a.h5")));
    }
  }
}

}  // namespace
}  // namespace sft::test
