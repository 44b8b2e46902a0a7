// Where rows of the training files stand, for people who look them up.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trainer/config/run_config.h"

namespace sft {

struct RowPlace {
  std::string place;  // "rows.jsonl:12"
  std::string text;   // its beginning; "": none
};

// Of the rows of data.train_file with these numbers, from 0. None where the data are no files of rows, or where rows
// that were left out have no number. Reads the files up to the last of them.
std::map<int64_t, RowPlace> places_of(const std::vector<int64_t>& numbers, const LoadedConfig& loaded);

}  // namespace sft
