// Raw files → CSR HDF5 shards, on all ranks in parallel, in constant memory. Also run implicitly
// when a config names a raw file; the result is kept under a key of content and settings.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/prepare/data_config.h"
#include "data/readers/target_form.h"
#include "data/samples/peers.h"
#include "data/text/tokenizer.h"

namespace sft {

struct PrepareRequest {
  std::vector<std::string> files;  // raw, in order; globs already expanded
  std::string split = "train";     // for messages
  std::string output_directory;    // where the keyed folder of shards is made
  std::string task = "text_classification";
  std::optional<TargetForm> target;      // nothing: found in the data (prepare/find_target.h)
  int64_t num_targets = 0;               // TargetForm::values: numbers a row; 0: as many as the first row has
  std::vector<std::string> label_names;  // known names by id (a model's own, or train's); empty: found in the data
  bool labels_must_be_known = false;     // validation and test: a new label is a DataError naming file, row and label
  bool labels_required = true;           // false: predict's input
  // Which side of DataConfig::validation_split is kept; the split is a pure function of content and seed.
  enum class Part { all, train, validation };
  Part part = Part::all;
  uint64_t split_seed = 0;
  std::string creation_command = "sft-dist prepare";  // kept in the shards
};

struct PrepareReport {
  std::vector<std::string> shards;  // paths, in order
  bool reused = false;              // the keyed folder was there and complete
  int64_t rows = 0, bad_rows = 0, truncated_rows = 0, total_tokens = 0;
  TargetForm target = TargetForm::label;
  int64_t num_targets = 0;  // of TargetForm::values
  std::vector<std::string> label_names;
  std::vector<int64_t> label_counts;          // rows that have it; of TargetForm::token_labels: words
  std::vector<int64_t> length_histogram;      // [i]: rows of 2^i … 2^(i+1)−1 tokens
  int64_t height = 0, width = 0;              // of every image; 0: texts
  std::map<std::string, int64_t> notes;       // what a person should know, and how often; 0: once for all
  std::vector<std::string> bad_row_examples;  // messages of the first few, file and line in them
  int64_t broken_rows = 0;                    // kept, though an I- tag in them continues nothing
  std::string broken_example;                 // the first of them: file, line, word and tag
};

// Every rank calls this; the report is the same on all of them, and so are the shards whatever their number: the
// rows in the order of the files. `tokenizer` has the truncation of `config` set.
// ConfigError: a missing file or column. DataError: bad rows under on_bad_row = "error", no rows, a train
// split of one class or of no label at all, a label that is not known where it must be.
PrepareReport prepare(const PrepareRequest& request, const DataConfig& config, const Tokenizer& tokenizer,
                      const Peers& peers);

// For people: rows, tokens, what was cut or left out, labels and lengths. Some lines, no line break at the end.
std::string describe(const PrepareReport& report, const std::string& split);

}  // namespace sft
