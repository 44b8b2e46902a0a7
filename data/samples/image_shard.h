// A shard of images of one size (docs/data_format.md).
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file_ops.h"
#include "data/hdf5/bytes.h"
#include "data/hdf5/guard.h"
#include "data/images/image.h"
#include "data/samples/stored_shard.h"

namespace sft {

bool is_image_shard(const GuardedFile& file);

class ImageShard : public StoredShard {
 public:
  // DataError naming file and dataset or attribute where the file contradicts itself.
  explicit ImageShard(std::shared_ptr<const GuardedFile> file);

  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t) const override { return 1; }
  int64_t label(int64_t i) const override;
  void read(int64_t i, Example& out) const override;
  int64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }

  const std::string& path() const override { return file_->path; }
  int64_t num_units() const override { return info_.num_samples; }
  const ContentHash& content_hash() const override { return content_hash_; }
  const char* kind() const override { return "image"; }

 private:
  std::shared_ptr<const GuardedFile> file_;
  DatasetInfo info_;
  ContentHash content_hash_;
  std::unique_ptr<hdf5::Bytes> pixels_, labels_;
  mutable std::atomic<int64_t> bytes_read_{0};
};

// Reads all of it against checksums and content hash. DataError at the first thing that is wrong.
void verify(const ImageShard& shard);

// What is true of the whole shard.
struct ImageShardInfo {
  std::string task = "image_classification";
  std::vector<std::string> label_names;                      // by id
  std::vector<std::pair<std::string, std::string>> sources;  // path, sha256
  std::string creation_command;
};

class ImageShardWriter {
 public:
  // `files` is borrowed. The folder of `path` must exist; `path` is replaced at finish().
  ImageShardWriter(const std::string& path, const ImageShardInfo& info, FileOps& files);
  ~ImageShardWriter();
  ImageShardWriter(const ImageShardWriter&) = delete;
  ImageShardWriter& operator=(const ImageShardWriter&) = delete;

  void append(const Image& image, int64_t label);  // all of one size; anything else is an assert
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sft
