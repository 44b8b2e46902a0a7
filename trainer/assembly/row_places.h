// Where rows of raw files stand, for people who look them up.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trainer/assembly/assemble.h"

namespace sft {

struct RowPlace {
  std::string place;                    // "rows.jsonl:12", or the file of the picture
  std::string text = {};                // its beginning; "": none
  std::vector<std::string> words = {};  // where the text is a list of them
  bool is_picture = false;
};

using RowPlaces = std::map<int64_t, RowPlace>;  // by the row's number, from 0

// Of rows of data.train_file, all of which take part. None where the data are no raw files, or where rows that were
// left out have no number. Reads the files up to the last of the rows.
RowPlaces places_of(const std::vector<int64_t>& numbers, const LoadedConfig& loaded);

// Likewise of the rows that a run trains on, or is validated by, which may be sides of data.train_file; `numbers` are
// those of its samples. Of sides of pictures none where these are large: they are told apart by their content.
enum class RowsOf { training, validation };
RowPlaces places_of(const std::vector<int64_t>& numbers, RowsOf rows, const Assembly& run);

}  // namespace sft
