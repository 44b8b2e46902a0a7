// Raw rows of a file, streamed in constant memory over any range of its bytes. A range holds the rows
// that start in it, so ranges that cover a file give each row once, in order. A format whose rows are nested
// in one value, and a compressed file, let all of them start at the file's first byte; row groups of Parquet and
// batches of Arrow are read as a whole.
//
// Where a range may begin anywhere, a reader must know what came before: a line break in CSV may stand
// inside quotes. `survey` condenses a stretch of bytes into what passing over it changes, from
// whatever state; stretches of neighbours chain, so ranks survey their own parts at the same time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/readers/row.h"

namespace sft {

// A byte of a file, and what is known of everything before it. The default is the beginning.
struct Place {
  int64_t byte = 0;
  int64_t line = 1;
  uint8_t state = 0;  // of the format's scanner; 0: a row starts here
};

struct Stretch {
  static constexpr size_t kStates = 5;
  int64_t bytes = 0;
  int64_t line_breaks = 0;
  std::array<uint8_t, kStates> leaves = {0, 1, 2, 3, 4};  // the state behind the stretch, by the state before it
};

Place behind(const Place& place, const Stretch& stretch);

// What a quote at the beginning of a cell of .csv and .tsv does: it encloses the cell up to the next one, as RFC 4180
// has it, or is a letter of the cell, as in GLUE's files (Python's csv.QUOTE_NONE).
enum class Quotes { enclose, letters };

class Reader {
 public:
  virtual ~Reader() = default;
  // The next row that starts in the range; false at its end. Throws BadRow for a malformed row, after which it
  // can be called again for the row behind; DataError where nothing can follow.
  virtual bool next(Row& row) = 0;
};

// .jsonl .json .csv .tsv .conll .bio .iob .txt, each of them also .gz or .zst, .parquet .arrow .feather, by the name's
// end; ConfigError for another, or where the file cannot be opened.
std::unique_ptr<Reader> open_reader(const std::string& path, const Place& begin, int64_t end,
                                    Quotes quotes = Quotes::enclose);
std::unique_ptr<Reader> open_reader(const std::string& path);  // all of it

Stretch survey(const std::string& path, int64_t begin, int64_t end, Quotes quotes = Quotes::enclose);

// Whether the name is that of a file of rows.
bool is_row_file(const std::string& path);

// The header's names, or those of the first well-formed row; none where there is no such row.
std::vector<std::string> columns_of(const std::string& path, Quotes quotes = Quotes::enclose);

}  // namespace sft
