// The .yaml beside data sets in YOLO's layout: of YAML, a mapping of scalars, lists and mappings of scalars, in lines
// or in brackets. Text behind "key: |" or "key: >", as scripts that download the data set are, is passed over.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sft {

struct YoloYaml {
  std::string path;                                        // "": the folder of the file
  std::map<std::string, std::vector<std::string>> splits;  // "train", "val", "test": folders, or lists of files
  std::vector<std::string> names;                          // of classes, by number
  int64_t keypoint_numbers = 0;                            // of an object, behind its box: the product of kpt_shape
};

// DataError naming file and line where it is another YAML, its names are not of 0, 1, …, or kpt_shape is no shape.
YoloYaml read_yolo_yaml(const std::string& file);

}  // namespace sft
