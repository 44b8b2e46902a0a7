// Predictions as the user wants them: with columns of the input beside them, with fewer scores, as CSV.
#pragma once

#include <string>

#include "base/file_ops.h"
#include "base/schema.h"
#include "data/readers/reader.h"

namespace sft {

struct PredictionShape {
  StringList keep = {};     // columns of the input, in front of what is predicted
  int64_t top_k = 0;        // of the scores of classes, or of the ranked member; 0: all
  std::string ranked = "";  // member of a prediction that is a list, the best first; "": none

  bool is_plain(const std::string& path) const;  // predictions at `path` are what the task says, no more and no less
};

// "-": standard output.
inline bool is_standard(const std::string& path) { return path == "-"; }

// ConfigError where an input lacks a column that is to be kept, or has none at all, DataError where the first row's
// value is bytes, or of a kind that is not read. Called before anything is computed.
void require_kept(const PredictionShape& shape, const StringList& files, Quotes quotes);

// Reads JSON Lines at `predictions`, a row each of `files`, and writes them at `path`: as .csv or .tsv with a header,
// objects by their members (scores.NAME), where its name ends so; else as JSON Lines. A name that a prediction has
// itself is kept as input_NAME. Durably, in one rename; `temporary` is on the file system of `path`.
void write_shaped(const std::string& predictions, const std::string& path, const std::string& temporary,
                  const StringList& files, Quotes quotes, const PredictionShape& shape, FileOps& file_ops);

}  // namespace sft
