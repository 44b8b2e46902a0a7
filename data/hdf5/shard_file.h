// Spooled columns into one HDF5 file of our form, whole or not at all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_ops.h"
#include "data/hdf5/shard_layout.h"
#include "data/hdf5/spool.h"

namespace sft {

struct ShardColumn {
  ShardColumn(std::string name_, StoredElement element_, const std::string& directory, FileOps& files,
              std::vector<int64_t> entry_ = {})
      : name(std::move(name_)), element(element_), content(directory, files), entry(std::move(entry_)) {}
  std::string name;
  StoredElement element;
  Spool content;
  std::vector<int64_t> entry;  // shape of one entry, where it is more than one element
};

// Of `path`: where its columns are best spooled.
std::string directory_of(const std::string& path);

// Ends the columns, lays them out in their order with the checksums of their blocks behind them under `path`.tmp, syncs
// and renames. StorageError where it cannot be written; then nothing is left.
void write_shard_file(const std::string& path, const std::vector<ShardColumn*>& columns,
                      const PlannedAttributes& attributes, FileOps& files);

}  // namespace sft
