// Writes one shard in the form of docs/data_format.md, in constant memory and without knowing how
// many samples will come. Until finish() returns there is nothing at `path`; after that there is a
// whole, durable file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file_ops.h"
#include "data/samples/sample.h"

namespace sft {

// True of the whole shard; kept in the attributes of the file.
struct ShardInfo {
  Schema schema;
  bool has_weights = false;   // keep Sample::weight
  int64_t max_length = 0;     // no sample has more units
  std::string kind = "text";  // text | text_pair | image: for people
  std::string task;
  std::string tokenizer_sha256;  // "": no tokenizer made the ids
  StringList label_names;        // by id; empty where labels are plain ids. None ends in a NUL
  std::vector<std::pair<std::string, std::string>> sources;     // path, sha256
  std::vector<std::pair<std::string, std::string>> notes = {};  // attributes of the task's own: name, text
  std::string creation_command;
};

class ShardWriter {
 public:
  // `files` is borrowed. The folder of `path` must exist; `path` is replaced at finish(). Names of columns are apart,
  // and none is "weights", "rows", "checksums" or ends in "_offsets". A target of whole numbers without a bound gets
  // one: the largest that comes, + 1.
  ShardWriter(const std::string& path, const ShardInfo& info, FileOps& files);
  ~ShardWriter();  // an unfinished shard leaves nothing behind
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  // A cell a column: whole entries; one entry where the column has no axis, equally many in all columns of one axis.
  // Numbers are within their bounds, or finite where they are real; units are 1 … max_length where there are some. Rows
  // count from 0 in each shard and never fall; several samples may be of one row, and a row may have none. Anything
  // else is an assert. StorageError where it cannot be written.
  void append(const Sample& sample);

  // Lays the file out under `path`.tmp, syncs it and renames it. A shard of 0 samples is allowed. `num_rows`: that the
  // samples were made of; 0: up to the last sample's.
  void finish(int64_t num_rows = 0);

  int64_t num_samples() const;
  int64_t bytes() const;  // of content appended so far, nearly the size of the file

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sft
