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
#include "data/samples/example.h"

namespace sft {

// What is true of the whole shard; it becomes the attributes of the file.
struct ShardInfo {
  std::string kind = "text";  // text | text_pair
  std::string task = "text_classification";
  TargetForm target = TargetForm::label;
  int64_t num_targets = 0;  // TargetForm::label_set, values: k, the same in each sample
  int64_t max_length = 0;   // no sample may be longer
  int64_t vocab_size = 0;   // every token is below it; below 65,536 a token takes 2 bytes
  std::string tokenizer_sha256;
  std::vector<std::string> label_names;  // by id; empty where labels are plain ids. None ends in a NUL
  std::vector<std::pair<std::string, std::string>> sources;  // path, sha256
  std::string creation_command;
  bool has_segments = false;  // keep Example::segments (empty ones become zeros)
  bool has_weights = false;   // keep Example::weight
};

class ShardWriter {
 public:
  // `files` is borrowed. The folder of `path` must exist; `path` is replaced at finish().
  ShardWriter(const std::string& path, const ShardInfo& info, FileOps& files);
  ~ShardWriter();  // an unfinished shard leaves nothing behind
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  // 1 … max_length tokens, each in 0 … vocab_size−1; a target of the shard's form: a label at or above 0 and, where
  // there are names, below their number; num_targets of 0 and 1; num_targets finite numbers; a label or −100 a token.
  // Anything else is an assert. StorageError where it cannot be written.
  void append(const Example& example);

  // Lays the file out under `path`.tmp, syncs it and renames it. A shard of 0 samples is allowed.
  void finish();

  int64_t num_samples() const;
  int64_t bytes() const;  // of content appended so far, nearly the size of the file

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sft
