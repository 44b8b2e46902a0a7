// A small HDF5 file of groups, lists of texts and float32 arrays, written whole: a Keras model.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sft::hdf5 {

struct PlannedText {
  std::string name, value;
};

struct PlannedTexts {
  std::string name;
  std::vector<std::string> values;  // more than 4,000 become several attributes, NAME0, NAME1, …, as Keras has them
};

struct PlannedArray {
  std::string name;  // in its group; may have groups of its own: "conv1/kernel:0"
  std::vector<int64_t> shape;
  std::function<const float*()> values;  // asked once, and read before the next
};

struct PlannedGroup {
  std::string path;  // without a leading '/'; "": the root
  std::vector<PlannedText> texts = {};
  std::vector<PlannedTexts> lists = {};
  std::vector<PlannedArray> arrays = {};
};

// The bytes of the file: they, and what HDF5 keeps while it makes them, are in memory. StorageError where HDF5 cannot.
std::string tree_file(const std::vector<PlannedGroup>& groups);

}  // namespace sft::hdf5
