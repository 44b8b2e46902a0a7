// Raw rows → HDF5 shards of samples, on all ranks in parallel, in constant memory. Also run implicitly when a config
// names a raw file; the result is kept under a key of content and settings.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/prepare/data_config.h"
#include "data/samples/peers.h"

namespace sft {

class Recipe;

struct PrepareRequest {
  StringList files;              // raw, in order; globs already expanded
  std::string split = "train";   // for messages
  std::string output_directory;  // where the keyed folder of shards is made
  std::string task;
  std::string problem_type;           // model.problem_type; "": found in the data
  int64_t num_targets = 0;            // regression: numbers a row; 0: as many as the first row has
  StringList label_names;             // known names by id (a model's own, or train's); empty: found in the data
  bool labels_must_be_known = false;  // validation and test: a new label is a DataError naming file, row and label
  bool labels_required = true;        // false: predict's input
  bool is_drawn_from = false;         // by training, which may take windows of larger pictures
  bool keep_notes = false;            // columns of notes, which predictions are told with, are written too
  // Which side of DataConfig::validation_split is kept; the split is a pure function of content and seed.
  enum class Side { all, train, validation };
  Side side = Side::all;
  uint64_t split_seed = 0;
  bool splits() const { return side != Side::all; }
  std::string creation_command = "sft-dist prepare";  // kept in the shards
};

// Rows of which a person should know, kept all the same.
struct Note {
  int64_t num_rows = 0;  // 0: true of the whole
  std::string first;     // place and what is there; "": no example
};

struct PrepareReport {
  StringList shards;    // paths, in order
  bool reused = false;  // the keyed folder was there and complete
  int64_t num_rows = 0, num_samples = 0, bad_rows = 0, truncated_rows = 0;
  int64_t total_units = 0;                // tokens
  int64_t trained_units = -1;             // units that are learned; -1: of no matter
  std::string rows_are = "rows";          // "images of 24 × 24"
  std::string units_are;                  // "tokens"; "": samples have no length
  std::string problem_type;               // as found, or as asked for; "": of no matter
  int64_t num_targets = 0;                // regression: numbers a row
  StringList label_names;                 // by id
  std::vector<int64_t> label_counts;      // of each label: rows, or words
  std::string labels_are_of = "rows";     // what label_counts counts
  bool labels_are_sets = false;           // a row has any number of them
  std::vector<int64_t> length_histogram;  // [i]: samples of 2^i … 2^(i+1)−1 units
  std::map<std::string, Note> notes;      // by their text behind the number of rows
  StringList bad_row_examples;            // messages of the first few, file and line in them
  StringList warnings;                    // of the whole
};

// Every rank calls this; the report is the same on all of them, and so are the shards whatever their number: the
// rows in the order of the files.
// ConfigError: a missing file or column. DataError: bad rows under on_bad_row = "error", no rows, a train
// split of one class or of no label at all, a label that is not known where it must be.
PrepareReport prepare_shards(const PrepareRequest& request, const DataConfig& config, Recipe& recipe,
                             const Peers& peers);

// For people: rows, tokens, what was cut or left out, labels and lengths. Some lines, no line break at the end.
std::string describe(const PrepareReport& report, const std::string& split);

}  // namespace sft
