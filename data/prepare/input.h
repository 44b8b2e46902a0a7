// Raw rows in pieces, a shard each. The cuts follow from the files alone, so the shards hold the same rows on any
// number of ranks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/schema.h"
#include "data/prepare/data_config.h"
#include "data/readers/image_source.h"
#include "data/readers/reader.h"
#include "data/samples/peers.h"

namespace sft {

// A column that a config names.
struct WantedColumn {
  std::string key;   // of [data]: "text_column"
  std::string name;  // in the files; "": not wanted
};

class Input {
 public:
  virtual ~Input() = default;
  virtual const char* noun() const = 0;               // of one row, for messages: "row", "image"
  virtual std::vector<StringList> files() const = 0;  // files that are read, by the path that was asked for
  // Content of rows that stands outside the bytes of `files`, which files() gave: names of folders, and of pictures and
  // what lies beside them, so that a file that is brought, taken away or renamed is another content; "": none.
  virtual std::string told_by_names(const std::vector<StringList>& /*files*/) const { return ""; }
  virtual StringList notes() const { return {}; }  // remarks for people on how the input is read

  // ConfigError where a file has rows but lacks a column, naming those it has and the nearest. Called on rank 0 alone.
  virtual void require(const std::vector<WantedColumn>& columns) const = 0;

  // Cuts the input and returns the number of pieces. Every rank calls and gets the same number.
  virtual int64_t cut(const Peers& peers) = 0;

  // The rows of one piece, their `file` set.
  virtual std::unique_ptr<Reader> open(int64_t piece) const = 0;
};

// Files of rows (readers/reader.h), cut at bytes; small files share a piece.
std::unique_ptr<Input> open_rows(const StringList& files, const DataConfig& config);

// Image sources (readers/image_source.h): rows of a picture and, with `labels`, the cell "label". DataError where there
// is no image at all.
std::unique_ptr<Input> open_pictures(const StringList& paths, bool labels, const ImageColumns& columns);

// The same of pictures whose pixels have classes (open_masked_images()), or without `masks` of any.
std::unique_ptr<Input> open_masked_pictures(const StringList& paths, bool masks, const std::string& split,
                                            const ImageColumns& columns);

// The same of pictures with boxes (open_boxed_images()), or without `boxes` of any.
std::unique_ptr<Input> open_boxed_pictures(const StringList& paths, bool boxes, const std::string& split,
                                           const ImageColumns& columns);

// Files of rows, each of which names or holds an image (pictures_of_rows.cpp): rows as of open_pictures.
std::unique_ptr<Input> open_pictures_of_rows(const StringList& files, bool labels, const DataConfig& config);

// As data.quoting says.
Quotes quotes_of(const DataConfig& config);

// Every name in `files`, those of each path apart: told_by_names() of pictures.
std::string names_of(const std::vector<StringList>& files);

// For messages: "'title', 'body' (did you mean 'body'?)". Of thousands the first few.
std::string list_of_columns(const StringList& names, const std::string& wanted);

}  // namespace sft
