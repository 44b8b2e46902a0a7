// Test rows that nearly repeat training rows: scores on them are better than those on new rows.
#pragma once

#include <string>

#include "data/samples/dataset.h"
#include "data/samples/peers.h"
#include "trainer/config/run_config.h"

namespace sft {

// Compares the texts of data.test_file, or where there is none of data.validation_file, with those of data.train_file.
// Writes a JSON object for each row that has a near duplicate into `directory`, and returns a line that tells them and
// the file, on every rank. "": there is nothing to compare, as where the files are of samples that are ready, or of
// pictures. Every rank calls, and reads its pieces of the training rows; each holds the texts that are compared with,
// about 2 KB a text.
std::string tell_near_duplicates(const LoadedConfig& loaded, const std::string& directory, const Peers& peers);

// The same of pictures that are ready, by their difference hashes, of which at most 3 of 64 bits differ; rows are told
// by their numbers. "": the samples are no pictures.
std::string tell_near_duplicate_pictures(const Dataset& train, const Dataset& held_out, const std::string& split,
                                         const std::string& directory);

// Whether one of these functions has written the file.
bool is_near_duplicates_file(const std::string& path);

}  // namespace sft
