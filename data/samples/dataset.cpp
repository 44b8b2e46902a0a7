#include "data/samples/dataset.h"

#include <algorithm>
#include <cassert>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "data/readers/target_form.h"
#include "data/samples/csr_shard.h"
#include "data/samples/foreign_dataset.h"
#include "data/samples/image_shard.h"

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
class ShardList : public Dataset {
 public:
  explicit ShardList(std::vector<std::unique_ptr<StoredShard>> shards) : shards_(std::move(shards)) {
    info_ = shards_.front()->info();
    info_.num_samples = 0;
    ContentHash hash;
    int64_t units = 0;
    for (const auto& shard : shards_) {
      agree(*shard);
      starts_.push_back(info_.num_samples);
      info_.num_samples += shard->size();
      info_.max_length = std::max(info_.max_length, shard->info().max_length);
      info_.num_labels = std::max(info_.num_labels, shard->info().num_labels);
      hash.append(shard->content_hash());
      units += shard->num_units();
    }
    info_.fingerprint = fingerprint(shards_.front()->kind(), hash, info_.num_samples, units);
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override {
    const size_t shard = shard_of(i);
    return shards_[shard]->length(i - starts_[shard]);
  }
  int64_t label(int64_t i) const override {
    const size_t shard = shard_of(i);
    return shards_[shard]->label(i - starts_[shard]);
  }
  float weight(int64_t i) const override {
    const size_t shard = shard_of(i);
    return shards_[shard]->weight(i - starts_[shard]);
  }
  void read(int64_t i, Example& out) const override {
    const size_t shard = shard_of(i);
    shards_[shard]->read(i - starts_[shard], out);
  }
  void expect(int64_t i, Soon what) const override {
    const size_t shard = shard_of(i);
    shards_[shard]->expect(i - starts_[shard], what);
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
    const auto require = [&](bool same, const char* what) {
      if (!same)
        throw DataError(concat(in_quotes(shard.path(), 400), " has other ", what, " than ",
                               in_quotes(shards_.front()->path(), 400),
                               "; shards of one dataset come from one prepare"));
    };
    require(first.target == other.target, "targets");
    require(first.label_names == other.label_names, "label names");
    if (first.target == TargetForm::label_set || first.target == TargetForm::values)
      require(first.num_labels == other.num_labels, "numbers of targets");
    require(first.vocab_size == other.vocab_size, "vocabulary size");
    require(first.tokenizer_sha256 == other.tokenizer_sha256, "tokenizer");
    require(first.has_segments == other.has_segments, "token types");
    require(first.has_weights == other.has_weights, "sample weights");
    require(first.height == other.height && first.width == other.width, "image sizes");
  }

  std::vector<std::unique_ptr<StoredShard>> shards_;
  std::vector<int64_t> starts_;
  DatasetInfo info_;
};

class Head : public Dataset {
 public:
  Head(std::unique_ptr<Dataset> base, int64_t size) : base_(std::move(base)), info_(base_->info()) {
    info_.num_samples = size;
    info_.fingerprint += concat("-first-", size);
  }
  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override {
    assert(i < info_.num_samples);
    return base_->length(i);
  }
  int64_t label(int64_t i) const override { return base_->label(i); }
  float weight(int64_t i) const override { return base_->weight(i); }
  void read(int64_t i, Example& out) const override {
    assert(i < info_.num_samples);
    base_->read(i, out);
  }
  void expect(int64_t i, Soon what) const override { base_->expect(i, what); }
  int64_t bytes_read() const override { return base_->bytes_read(); }

 private:
  std::unique_ptr<Dataset> base_;
  DatasetInfo info_;
};

class Unweighted : public Dataset {
 public:
  explicit Unweighted(std::unique_ptr<Dataset> base) : base_(std::move(base)), info_(base_->info()) {
    info_.has_weights = false;
  }
  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override { return base_->length(i); }
  int64_t label(int64_t i) const override { return base_->label(i); }
  float weight(int64_t) const override { return 1.0f; }
  void read(int64_t i, Example& out) const override {
    base_->read(i, out);
    out.weight = 1.0f;
  }
  void expect(int64_t i, Soon what) const override { base_->expect(i, what); }
  int64_t bytes_read() const override { return base_->bytes_read(); }

 private:
  std::unique_ptr<Dataset> base_;
  DatasetInfo info_;
};

}  // namespace

int64_t Dataset::label(int64_t i) const {
  Example example;
  read(i, example);
  return example.label;
}

float Dataset::weight(int64_t i) const {
  Example example;
  read(i, example);
  return example.weight;
}

std::unique_ptr<Dataset> open_dataset(const std::vector<std::string>& paths, std::optional<TargetForm> target) {
  const std::vector<std::string> files = files_of(paths);
  std::vector<std::unique_ptr<StoredShard>> shards;
  for (const std::string& path : files) {
    std::shared_ptr<const GuardedFile> file = open_guarded(path);
    if (is_image_shard(*file)) {
      shards.push_back(std::make_unique<ImageShard>(std::move(file)));
    } else if (is_shard(*file)) {
      shards.push_back(std::make_unique<CsrShard>(std::move(file)));
      if (const TargetForm found = shards.back()->info().target; target && found != *target)
        throw DataError(concat(in_quotes(path, 400), " was prepared with targets of the form ",
                               in_quotes(name_of(found)), ", and ", in_quotes(name_of(*target)),
                               " is wanted; prepare it again from the raw file"));
    } else if (files.size() == 1) {
      return open_foreign(std::move(file), target);
    } else {
      throw DataError(concat(in_quotes(path, 400),
                             " is not a shard of sft-dist; only one file of another form is read at a time, and ",
                             files.size(), " are named"));
    }
  }
  if (shards.size() == 1) return std::move(shards.front());
  return std::make_unique<ShardList>(std::move(shards));
}

std::unique_ptr<Dataset> head_of(std::unique_ptr<Dataset> base, int64_t size) {
  if (size >= base->size()) return base;
  return std::make_unique<Head>(std::move(base), size);
}

std::unique_ptr<Dataset> without_weights(std::unique_ptr<Dataset> base) {
  return std::make_unique<Unweighted>(std::move(base));
}

}  // namespace sft
