// Where rows of raw files stand, for people who look them up.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trainer/config/run_config.h"

namespace sft {

struct RowPlace {
  std::string place;                    // "rows.jsonl:12", or the file of the picture
  std::string text = {};                // its beginning; "": none
  std::vector<std::string> words = {};  // where the text is a list of them
  bool is_picture = false;
};

// Of the rows with these numbers, from 0, of the files that `asked` names, the value of the key. None where the data
// are no raw files, or where rows that were left out have no number. Reads the files up to the last of the rows.
std::map<int64_t, RowPlace> places_of(const std::vector<int64_t>& numbers, const StringList& asked,
                                      const std::string& key, const LoadedConfig& loaded);

}  // namespace sft
