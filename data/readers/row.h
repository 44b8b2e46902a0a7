// A raw row: named cells, as the file spells them, and a picture where it has one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.h"
#include "data/images/image.h"
#include "data/images/mask.h"
#include "data/readers/boxes.h"

namespace sft {

// One row is malformed; the reader can go on with the next. Names file and line.
struct BadRow : DataError {
  using DataError::DataError;
};

// A cell cannot be what it is wanted for. Whoever knows column, file and line makes a BadRow of it.
struct CellProblem {
  std::string what;
};

struct Cell {
  enum class Kind : uint8_t {
    null,
    boolean,  // text is "true" or "false"
    number,   // text is the shortest spelling of the value: 1.0 and 1 are both "1"
    text,
    plain,   // from a format without types: any of the above
    nested,  // an object; text is "object"
    list,    // an array; text is "array"
    bytes,   // that are no text, as of an image in a Parquet file
  };
  Kind kind = Kind::null;
  std::string text;
  std::vector<Cell> items = {};         // of a list or an object
  std::vector<std::string> names = {};  // of an object's items
  bool is_real = false;                 // a number spelled with a point or an exponent: 1.0, not 1
  bool is_cut = false;                  // its items lie deeper than readers keep them

  // Among an object's items; of equal names the last one.
  const Cell* find(std::string_view name) const;
  Cell* find(std::string_view name);
};

std::string_view name_of(Cell::Kind kind);
std::string describe(const Cell& cell);  // for messages: "the number 3", "null", "an array"

// As decode_image(); BadRow where it is no image.
Decoded decode_picture(const std::string& bytes, const std::string& place);

// A picture that is read from its file when somebody asks for it.
class Picture {
 public:
  virtual ~Picture() = default;
  virtual std::string place() const = 0;  // for messages: the file, and which image of it
  virtual std::string bytes() const = 0;  // as stored; equal for equal pictures
  virtual Decoded decoded() const = 0;    // BadRow where it is none
  virtual Mask mask() const;              // the class of each pixel; BadRow where it has no good one
  virtual RawBoxes boxes() const;         // likewise
  virtual std::vector<std::string> class_names() const { return {}; }  // that stand beside boxes, by id
};

// Reused from row to row, so that its strings keep their memory.
class Row {
 public:
  int64_t line = 0;                        // of the file, from 1, where the row starts
  int64_t num_lines = 1;                   // of a table's row: that it spans
  const std::string* file = nullptr;       // borrowed from whoever opened the reader
  std::shared_ptr<const Picture> picture;  // null: the row has none

  std::string twice;  // a name that stood in it twice, of which the last counts; "": none

  std::string place() const;  // for messages: "rows.csv:12", or the picture's
  size_t bytes() const;       // of all cells, roughly

  void clear() {
    size_ = 0;
    num_lines = 1;
    twice.clear();
    picture.reset();
  }
  Cell& add(std::string_view name);  // an equal name is replaced: the last one counts
  const Cell* find(std::string_view name) const;
  Cell* find(std::string_view name);
  std::vector<std::string> names() const;

 private:
  struct Field {
    std::string name;
    Cell cell;
  };
  Field* field(std::string_view name);

  std::vector<Field> fields_;
  size_t size_ = 0;  // of fields_ in use
};

}  // namespace sft
