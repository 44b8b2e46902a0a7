// One piece of the input to one shard.
#pragma once

#include <optional>
#include <string>

#include "data/prepare/recipe.h"
#include "data/prepare/split.h"

namespace sft {

// Things that all pieces of one preparation share; borrowed.
struct Making {
  const PrepareRequest& request;
  const DataConfig& config;
  const Recipe& recipe;
  const ShardInfo& shard;
  const std::optional<Split>& split;  // nothing: all rows are kept
};

// Writes the shard `folder`/`name`, none where no row is kept. The report names it without the folder.
PrepareReport make_shard(const Making& making, Reader& rows, const std::string& folder, const std::string& name);

}  // namespace sft
