// Predicted tags put back on the words of their rows: entities with their places in the text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "data/prepare/data_config.h"
#include "data/prepare/prepare.h"
#include "data/text/tokenizer.h"
#include "trainer/loop/row_writer.h"

namespace sft {

class EntityRows {
 public:
  // Reads the raw files of `request` again, which prepare has read under the same config, so that row i is the same;
  // borrows `tokenizer`, with its truncation set.
  EntityRows(PrepareRequest request, const DataConfig& config, const Tokenizer& tokenizer);
  ~EntityRows();

  // `json` is what token classification predicts for the row. Rows are asked for in rising order. Returns {"entities":
  // [{"type", "start", "end", "text", "score"}], "tags": [one a word]}: `start` and `end` count characters of the text,
  // or of the words joined by spaces; `score` is the least of the entity's words. A word that truncation cut off, or
  // that has no token, has the tag null.
  std::string finish(int64_t row, const std::string& json);

 private:
  class Source;
  std::unique_ptr<Source> source_;
};

// The same for a RowWriter. Nothing for other tasks, whose predictions are whole, and for HDF5 files, which hold no
// words: their rows stay as the task predicts them. `tokenizer` is null where the task has no text.
RowWriter::Finish entities_of_rows(const std::string& task, const PrepareRequest& request, const DataConfig& config,
                                   const Tokenizer* tokenizer);

}  // namespace sft
