// Lays out an HDF5 file whose datasets have their final sizes and no content yet.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sft {

enum class StoredElement { uint8, uint16, uint32, int32, int64, float32 };
int64_t stored_bytes(StoredElement element);

struct PlannedDataset {
  std::string name;
  StoredElement element = StoredElement::uint8;
  int64_t count = 0;
  int64_t offset = 0;             // out: where its bytes go in the file; −1 where it has none
  std::vector<int64_t> row = {};  // shape of one row; `count` elements fill whole rows
};

struct PlannedAttributes {
  std::vector<std::pair<std::string, int64_t>> integers;
  std::vector<std::pair<std::string, std::string>> texts;
  std::vector<std::pair<std::string, std::vector<std::string>>> lists;
  std::vector<std::pair<std::string, std::vector<int64_t>>> integer_lists;
};

// Writes to `path`, which is replaced, all of the HDF5 file but the datasets' bytes (holes are there instead).
// StorageError where it cannot.
void lay_out(const std::string& path, std::vector<PlannedDataset>& datasets, const PlannedAttributes& attributes);

}  // namespace sft
