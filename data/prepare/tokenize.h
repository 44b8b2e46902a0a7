// One piece of the input to one shard.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/prepare/labels.h"
#include "data/prepare/pieces.h"
#include "data/prepare/sample.h"
#include "data/prepare/split.h"
#include "data/readers/reader.h"
#include "data/samples/shard_writer.h"

namespace sft {

// Calls visit(sample, path) on each row of a piece. A bad row is handed to `on_bad_row`, or ends the work where
// the config says so.
void for_each_sample(const Piece& piece, const std::vector<std::string>& files, const Columns& columns,
                     const std::function<void(const TextRow&, const std::string&)>& visit,
                     const std::function<void(const BadRow&)>& on_bad_row);

// What all pieces of one preparation share; borrowed.
struct Tokenizing {
  const PrepareRequest& request;
  const DataConfig& config;
  const Tokenizer& tokenizer;
  const Columns& columns;
  const LabelIds& labels;
  const TokenTargets& targets;
  const std::optional<Split>& split;  // nothing: all rows are kept
  const ShardInfo& shard;
};

// Why a row cannot be kept; "" where it can.
std::string problem_of(const Encoding& encoding, const DataConfig& config);

// Writes the shard `folder`/`name`, none where the piece gives no row. The report names it without the folder.
PrepareReport tokenize(const Tokenizing& job, const Piece& piece, const std::string& folder, const std::string& name);

}  // namespace sft
