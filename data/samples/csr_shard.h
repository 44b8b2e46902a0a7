// One of our shards: ragged rows found by two offsets (docs/data_format.md).
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "data/hdf5/bytes.h"
#include "data/hdf5/guard.h"
#include "data/samples/stored_shard.h"

namespace sft {

// Whether the file says that it is one of ours.
bool is_shard(const GuardedFile& file);

class CsrShard : public StoredShard {
 public:
  // DataError naming file and dataset or attribute where the file contradicts itself.
  explicit CsrShard(std::shared_ptr<const GuardedFile> file);

  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override;
  int64_t label(int64_t i) const override;
  float weight(int64_t i) const override;
  void read(int64_t i, Example& out) const override;
  void expect(int64_t i, Soon what) const override;
  int64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }

  const std::string& path() const override { return file_->path; }
  int64_t num_units() const override { return num_tokens_; }
  const ContentHash& content_hash() const override { return content_hash_; }
  const char* kind() const override { return "csr"; }

 private:
  struct Range {
    int64_t first, count;
  };
  Range range_of(int64_t i) const;
  void read_tokens(const Range& range, std::vector<int32_t>& out) const;
  void read_target(int64_t i, const Range& range, Example& out) const;
  [[noreturn]] void refuse(int64_t i, const char* dataset, const std::string& why) const;

  std::shared_ptr<const GuardedFile> file_;
  DatasetInfo info_;
  ContentHash content_hash_;
  std::unique_ptr<hdf5::Bytes> tokens_, offsets_, segments_, labels_, weights_;  // the last but labels may be null
  bool small_tokens_ = false;
  int64_t num_tokens_ = 0;
  int64_t bytes_per_token_ = 0, bytes_per_sample_ = 0;
  mutable std::atomic<int64_t> bytes_read_{0};
};

// Reads all of it: every block against its checksum, every sample against the attributes, the whole against
// the content hash. DataError at the first thing that is wrong.
void verify(const CsrShard& shard);

}  // namespace sft
