// Samples by index. A dataset is one HDF5 file or a list of shards, in our form or a foreign padded one; which of
// them it is, nobody above sees.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/samples/batch.h"
#include "data/samples/peers.h"

namespace sft {

struct DatasetInfo {
  std::string name;  // "'train.h5'": how an error begins
  Schema schema;
  int64_t num_samples = 0;
  int64_t num_rows = 0;          // of the input that they were made of
  int64_t max_length = 0;        // no sample has more units
  std::string tokenizer_sha256;  // "": unknown (foreign), or no tokenizer
  StringList label_names;        // by id; empty where labels are plain ids
  bool has_weights = false;
  std::string fingerprint;  // of content: same data, same string; goes into checkpoints
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const DatasetInfo& info() const = 0;
  virtual int64_t size() const { return info().num_samples; }
  const Schema& schema() const { return info().schema; }

  // Units of sample i, without touching its columns; 1 where the schema has none. i outside 0 … size−1 is an assert.
  virtual int64_t length(int64_t i) const = 0;

  // Appends the cells, the weight and the row of sample i to a batch of this schema. May be called from several threads
  // at once, as all below.
  virtual void append(int64_t i, Batch& out) const = 0;

  // Appends the cell of one column alone.
  virtual void append(int64_t i, size_t column, Packed& out) const = 0;
  virtual float weight(int64_t i) const = 0;
  virtual int64_t row(int64_t i) const = 0;  // never falls from a sample to the next

  // A hint: in a moment sample i is asked for its length, or, its length known, is read. Of many samples in memory each
  // is a miss of every cache, and hints let the misses overlap.
  enum class Soon { length, read };
  virtual void expect(int64_t /*i*/, Soon) const {}

  // DataError naming the file and the column where samples cannot give what is needed. A file that does not say how
  // large its numbers are is read for it: `mine` is the part of the samples to look at.
  virtual void require(const Needs& needs, Shard mine = {});

  // Bytes of content that the files have checksums of, and a look at them: DataError naming the first block that is
  // damaged, which would else be found when a sample in it is read. `mine` is the part of the blocks to look at.
  virtual int64_t checkable_bytes() const { return 0; }
  virtual void check(Shard /*mine*/) const {}

  // Bytes of sample content read so far by this process; for tests and the report.
  virtual int64_t bytes_read() const = 0;
};

// Opens .h5 files: our shards (a directory or a list of them, in order) or one foreign file. ConfigError where a path
// is missing, DataError where content is wrong or is not what is needed. A foreign matrix may be read in more than one
// form: `needs` says which.
std::unique_ptr<Dataset> open_dataset(const std::vector<std::string>& paths, const Needs& needs = {});

// The shard's range of samples, and the rows that they, and none of another shard, were made of. It is cut at borders
// of rows: all samples of a row are in one range.
std::pair<int64_t, int64_t> range_of(const Dataset& dataset, Shard shard);
std::pair<int64_t, int64_t> rows_of(const Dataset& dataset, Shard shard);

// The first `size` samples of `base`.
std::unique_ptr<Dataset> head_of(std::unique_ptr<Dataset> base, int64_t size);

// The samples of `base`, each of weight 1.
std::unique_ptr<Dataset> without_weights(std::unique_ptr<Dataset> base);

}  // namespace sft
