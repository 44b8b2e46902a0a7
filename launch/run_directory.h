// A run's directory: claimed by one job at a time, its config kept beside its results.
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"
#include "trainer/checkpoint/run_lock.h"
#include "trainer/config/run_config.h"

namespace sft {

// Makes and locks the run directory on rank 0, and writes config.toml into it. With overwrite_output_dir an
// old run is moved aside to <output_dir>.old-<time>. Held until destroyed; null on the other ranks.
std::unique_ptr<RunLock> claim_run_directory(const LoadedConfig& loaded, Communicator& control);

// The config of a run, from its directory or a config file.
LoadedConfig load_run(const std::string& directory_or_config, const std::vector<std::string>& overrides = {});

// The directory that `which` ("best", "last" or a path) means: a checkpoint, or model/ where the run has
// ended with its best one. ConfigError naming what is there.
std::string checkpoint_directory(const RunConfig& config, const std::string& which);

}  // namespace sft
