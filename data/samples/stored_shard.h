// One of our shards (docs/data_format.md), whatever its columns are.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "data/hdf5/bytes.h"
#include "data/hdf5/guard.h"
#include "data/samples/content_hash.h"
#include "data/samples/dataset.h"
#include "data/samples/shard_form.h"

namespace sft {

class StoredShard final : public Dataset {
 public:
  // DataError naming file and dataset or attribute where the file contradicts itself.
  explicit StoredShard(std::shared_ptr<const GuardedFile> file);

  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override;
  void append(int64_t i, Batch& out) const override;
  void append(int64_t i, size_t column, Packed& out) const override;
  float weight(int64_t i) const override;
  int64_t row(int64_t i) const override;
  void expect(int64_t i, Soon what) const override;
  int64_t checkable_bytes() const override;
  void check(Shard mine) const override;
  int64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }

  const std::string& path() const { return file_->path; }
  int64_t num_units() const { return num_units_; }                   // in all
  int64_t entries(size_t axis) const { return axes_[axis].total; }   // of all samples
  const ContentHash& content_hash() const { return content_hash_; }  // as stored

 private:
  static constexpr size_t kMostAxes = 8;
  struct Range {
    int64_t first, count;
  };
  using Ranges = std::array<Range, kMostAxes>;  // of one sample, by axis

  struct Axis {
    std::string dataset;  // of its offsets
    std::unique_ptr<hdf5::Bytes> offsets;
    int64_t total = 0;    // entries of all samples
    bool counts = false;  // among the units
  };
  struct Content {
    const Column* column;
    std::string dataset;
    std::unique_ptr<hdf5::Bytes> bytes;
    size_t axis;  // SIZE_MAX: one entry a sample
    int64_t entry_numbers;
    int64_t number_bytes;  // in the file: fewer than the column's where it is kept narrow
    bool narrow;
    int64_t entry_bytes() const { return entry_numbers * number_bytes; }
  };

  void open_columns(const ShardForm& form);
  std::vector<const hdf5::Bytes*> all_content() const;
  Range range_of(const Axis& axis, int64_t i) const;
  Ranges ranges_of(int64_t i) const;
  Range range_in(const Content& content, int64_t i, const Ranges& ranges) const;
  void append(const Content& content, int64_t i, const Range& range, Packed& out) const;
  void read_narrow(const Content& content, int64_t first, int64_t numbers, std::byte* to) const;
  [[noreturn]] void refuse(int64_t i, const std::string& dataset, const std::string& why) const;

  std::shared_ptr<const GuardedFile> file_;
  DatasetInfo info_;
  ContentHash content_hash_;
  std::vector<Axis> axes_;
  std::vector<Content> contents_;                // by column
  std::unique_ptr<hdf5::Bytes> weights_, rows_;  // null: each weight is 1; sample i is of row i
  int64_t num_units_ = 0;
  mutable std::atomic<int64_t> bytes_read_{0};
};

// A string that is equal for equal samples in equal order, however they are cut into shards.
std::string fingerprint(const Schema& schema, const ContentHash& hash, int64_t num_samples, int64_t num_units);

// Reads all of it: every block against its checksum, every sample against the attributes, the whole against
// the content hash. DataError at the first thing that is wrong.
void verify(const StoredShard& shard);

}  // namespace sft
