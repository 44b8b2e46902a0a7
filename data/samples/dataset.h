// Samples by index. A dataset is one HDF5 file or a list of shards, in our CSR form or a foreign
// padded one; which of them it is, nobody above sees.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/samples/example.h"

namespace sft {

struct DatasetInfo {
  int64_t num_samples = 0;
  int64_t max_length = 0;                // no sample is longer
  int64_t vocab_size = 0;                // 0: unknown (foreign)
  std::string tokenizer_sha256;          // "" : unknown (foreign)
  std::vector<std::string> label_names;  // by id; empty where labels are plain ids
  TargetForm target = TargetForm::label;
  int64_t num_labels = 0;  // highest label + 1, or label_names.size(); of label_set and values: how many a sample has
  bool has_segments = false;
  bool has_weights = false;
  int64_t height = 0, width = 0, channels = 0;  // of every image; 0: the samples are texts
  std::string fingerprint;                      // of content: same data, same string; goes into checkpoints
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const DatasetInfo& info() const = 0;
  virtual int64_t size() const { return info().num_samples; }

  // Tokens in sample i, without touching its tokens. i outside 0 … size−1 is an assert.
  virtual int64_t length(int64_t i) const = 0;

  // The label (TargetForm::label) and the weight of sample i alone. Shards touch no tokens for it; others read the
  // sample.
  virtual int64_t label(int64_t i) const;
  virtual float weight(int64_t i) const;

  // Fills `out`, reusing its memory. May be called from several threads at once.
  virtual void read(int64_t i, Example& out) const = 0;

  // A hint: in a moment sample i is asked for its length, or, its length known, is read. Of many samples in memory each
  // is a miss of every cache, and hints let the misses overlap.
  enum class Soon { length, read };
  virtual void expect(int64_t /*i*/, Soon) const {}

  // Bytes of sample content read so far by this process; for tests and the report.
  virtual int64_t bytes_read() const = 0;
};

// Opens .h5 files: our shards (a directory or a list of them, in order) or one foreign file. ConfigError
// where a path is missing, DataError where content is wrong. A foreign matrix may be read in more than one form:
// `target` says which; DataError where the file cannot give it.
std::unique_ptr<Dataset> open_dataset(const std::vector<std::string>& paths, std::optional<TargetForm> target = {});

// The first `size` samples of `base`.
std::unique_ptr<Dataset> head_of(std::unique_ptr<Dataset> base, int64_t size);

// The samples of `base`, each of weight 1.
std::unique_ptr<Dataset> without_weights(std::unique_ptr<Dataset> base);

}  // namespace sft
