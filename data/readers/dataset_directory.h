// Directories that Hugging Face's `datasets` makes by save_to_disk(): state.json names the .arrow files of one split,
// dataset_dict.json the splits, each in a directory of its own.
#pragma once

#include <string>
#include <vector>

namespace sft {

bool is_dataset_directory(const std::string& path);

// The .arrow files of the split that is called by one of `names`, in their order; without names, of the only one there
// is. A directory of one split is that split, whatever it is called. ConfigError, beginning with `where`, where there
// is no such split; DataError where the directory is not as save_to_disk() makes it.
std::vector<std::string> files_of_dataset(const std::string& path, const std::vector<std::string>& names,
                                          const std::string& where);

}  // namespace sft
