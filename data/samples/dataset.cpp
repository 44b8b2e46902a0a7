#include "data/samples/dataset.h"

#include <algorithm>
#include <cassert>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "data/samples/foreign_dataset.h"
#include "data/samples/stored_shard.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// A directory stands for the .h5 files in it, in the order of their names.
std::vector<std::string> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> inside;
    for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
      if (entry.path().extension() == ".h5") inside.push_back(entry.path().string());
    }
    if (inside.empty()) throw ConfigError(concat("there is no .h5 file in ", in_quotes(path, 400)));
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  if (files.empty()) throw ConfigError("no data file is named");
  return files;
}

// Shards that follow each other.
class ShardList final : public Dataset {
 public:
  explicit ShardList(std::vector<std::unique_ptr<StoredShard>> shards) : shards_(std::move(shards)) {
    info_ = shards_.front()->info();
    info_.num_samples = info_.num_rows = 0;
    ContentHash hash;
    int64_t units = 0;
    for (const auto& shard : shards_) {
      agree(*shard);
      starts_.push_back(info_.num_samples);
      first_rows_.push_back(info_.num_rows);
      info_.num_samples += shard->size();
      info_.num_rows += shard->info().num_rows;
      info_.max_length = std::max(info_.max_length, shard->info().max_length);
      for (size_t c = 0; c < info_.schema.columns.size(); ++c)
        info_.schema.columns[c].bound = std::max(info_.schema.columns[c].bound, shard->schema().columns[c].bound);
      hash.append(shard->content_hash());
      units += shard->num_units();
    }
    info_.fingerprint = fingerprint(info_.schema, hash, info_.num_samples, units);
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override {
    const size_t shard = shard_of(i);
    return shards_[shard]->length(i - starts_[shard]);
  }
  void append(int64_t i, Batch& out) const override {
    const size_t shard = shard_of(i);
    shards_[shard]->append(i - starts_[shard], out);
    out.rows.back() += first_rows_[shard];
  }
  void append(int64_t i, size_t column, Packed& out) const override {
    const size_t shard = shard_of(i);
    shards_[shard]->append(i - starts_[shard], column, out);
  }
  float weight(int64_t i) const override {
    const size_t shard = shard_of(i);
    return shards_[shard]->weight(i - starts_[shard]);
  }
  int64_t row(int64_t i) const override {
    const size_t shard = shard_of(i);
    return shards_[shard]->row(i - starts_[shard]) + first_rows_[shard];
  }
  void expect(int64_t i, Soon what) const override {
    const size_t shard = shard_of(i);
    shards_[shard]->expect(i - starts_[shard], what);
  }
  int64_t checkable_bytes() const override {
    int64_t bytes = 0;
    for (const auto& shard : shards_) bytes += shard->checkable_bytes();
    return bytes;
  }
  void check(Shard mine) const override {
    for (const auto& shard : shards_) shard->check(mine);
  }
  int64_t bytes_read() const override {
    int64_t bytes = 0;
    for (const auto& shard : shards_) bytes += shard->bytes_read();
    return bytes;
  }

 private:
  // The last shard that begins at or before i: empty ones begin there too, and come before it.
  size_t shard_of(int64_t i) const {
    assert(i >= 0 && i < info_.num_samples);
    return static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), i) - starts_.begin()) - 1;
  }

  void agree(const StoredShard& shard) const {
    const DatasetInfo &first = info_, &other = shard.info();
    const auto require = [&](bool same, const std::string& what) {
      if (!same)
        throw DataError(concat(other.name, " has other ", what, " than ", first.name,
                               "; shards of one dataset come from one prepare"));
    };
    require(first.schema.units == other.schema.units, "units");
    require(describe(first.schema) == describe(other.schema), concat("columns, ", describe(other.schema), ", "));
    for (size_t c = 0; c < first.schema.columns.size(); ++c) {
      const Column &mine = first.schema.columns[c], &its = other.schema.columns[c];
      require(mine.role == its.role && (mine.role != Role::input || mine.bound == its.bound),
              concat("numbers in column ", in_quotes(mine.name)));
    }
    require(first.label_names == other.label_names, "label names");
    require(first.tokenizer_sha256 == other.tokenizer_sha256, "tokenizer");
    require(first.has_weights == other.has_weights, "sample weights");
  }

  std::vector<std::unique_ptr<StoredShard>> shards_;
  std::vector<int64_t> starts_, first_rows_;
  DatasetInfo info_;
};

// A dataset of another's samples.
class Derived : public Dataset {
 public:
  explicit Derived(std::unique_ptr<Dataset> base) : base_(std::move(base)), info_(base_->info()) {}
  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override { return base_->length(i); }
  void append(int64_t i, Batch& out) const override { base_->append(i, out); }
  void append(int64_t i, size_t column, Packed& out) const override { base_->append(i, column, out); }
  float weight(int64_t i) const override { return base_->weight(i); }
  int64_t row(int64_t i) const override { return base_->row(i); }
  void expect(int64_t i, Soon what) const override { base_->expect(i, what); }
  void require(const Needs& needs, Shard mine) override { base_->require(needs, mine); }
  int64_t checkable_bytes() const override { return base_->checkable_bytes(); }
  void check(Shard mine) const override { base_->check(mine); }
  int64_t bytes_read() const override { return base_->bytes_read(); }

 protected:
  std::unique_ptr<Dataset> base_;
  DatasetInfo info_;
};

class Head final : public Derived {
 public:
  Head(std::unique_ptr<Dataset> base, int64_t size) : Derived(std::move(base)) {
    info_.num_rows = size > 0 ? base_->row(size - 1) + 1 : 0;
    info_.num_samples = size;
    info_.fingerprint += concat("-first-", size);
  }
};

class Unweighted final : public Derived {
 public:
  explicit Unweighted(std::unique_ptr<Dataset> base) : Derived(std::move(base)) { info_.has_weights = false; }
  void append(int64_t i, Batch& out) const override {
    base_->append(i, out);
    out.weights.back() = 1.0f;
  }
  float weight(int64_t) const override { return 1.0f; }
};

}  // namespace

void Dataset::require(const Needs& needs, Shard) { sft::require(schema(), needs, info().name); }

std::unique_ptr<Dataset> open_dataset(const std::vector<std::string>& paths, const Needs& needs) {
  const std::vector<std::string> files = files_of(paths);
  std::vector<std::unique_ptr<StoredShard>> shards;
  for (const std::string& path : files) {
    std::shared_ptr<const GuardedFile> file = open_guarded(path);
    if (is_shard(*file)) {
      shards.push_back(std::make_unique<StoredShard>(std::move(file)));
      shards.back()->require(needs);
    } else if (files.size() == 1) {
      return open_foreign(std::move(file), needs);
    } else {
      throw DataError(concat(in_quotes(path, 400),
                             " is not a shard of sft-dist; only one file of another form is read at a time, and ",
                             files.size(), " are named"));
    }
  }
  if (shards.size() == 1) return std::move(shards.front());
  return std::make_unique<ShardList>(std::move(shards));
}

namespace {

// The first sample at or behind `i` that begins a row.
int64_t border(const Dataset& dataset, int64_t i) {
  while (i > 0 && i < dataset.size() && dataset.row(i) == dataset.row(i - 1)) ++i;
  return i;
}

}  // namespace

std::pair<int64_t, int64_t> range_of(const Dataset& dataset, Shard shard) {
  const auto [first, end] = range_of(dataset.size(), shard);
  return {border(dataset, first), border(dataset, end)};
}

// Rows without samples go with the row before them, those in front of all with the first shard.
std::pair<int64_t, int64_t> rows_of(const Dataset& dataset, Shard shard) {
  const auto row_at = [&](int64_t sample, int index) {
    if (index == 0) return int64_t{0};
    return sample < dataset.size() ? dataset.row(sample) : dataset.info().num_rows;
  };
  const auto [first, end] = range_of(dataset, shard);
  return {row_at(first, shard.index), row_at(end, shard.index + 1)};
}

std::unique_ptr<Dataset> head_of(std::unique_ptr<Dataset> base, int64_t size) {
  if (size >= base->size()) return base;
  return std::make_unique<Head>(std::move(base), size);
}

std::unique_ptr<Dataset> without_weights(std::unique_ptr<Dataset> base) {
  return std::make_unique<Unweighted>(std::move(base));
}

}  // namespace sft
