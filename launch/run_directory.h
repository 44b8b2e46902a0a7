// A run's directory: claimed by one job at a time, its config kept beside its results.
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"
#include "trainer/checkpoint/run_lock.h"
#include "trainer/config/run_config.h"

namespace sft {

// Makes, marks and locks the run directory on rank 0. ConfigError where it holds what another program made under the
// names of a run's files, or where the run would replace or move what it reads (launch/ownership.h). With
// overwrite_output_dir an old run is moved aside to <output_dir>.old-<time>, unless it is of the same training and has
// not ended: that one goes on. Held until destroyed; null on the other ranks.
std::unique_ptr<RunLock> claim_run_directory(const LoadedConfig& loaded, Communicator& control);

// Whether output_dir holds a run of the same training, on so many ranks. ConfigError where the batch size does not fit.
bool holds_training_of(const LoadedConfig& loaded, int world);

// Writes config.toml into the run directory, by rank 0: once it is settled that the run trains under these settings.
// The summary of an earlier end tells no end of them (reopen_summary).
void keep_config(const LoadedConfig& loaded, Communicator& control);

// The config that a run directory keeps, as it was written. ConfigError where there is none.
RunConfig kept_config(const std::string& run_directory);

// The config of a run, from its directory or a config file.
LoadedConfig load_run(const std::string& directory_or_config, const std::vector<std::string>& overrides = {});

// What files about a run are called after: "run" of "configs/run.toml", "first" of "runs/first/".
std::string stem_of_run(const std::string& directory_or_config);

// What a run that has ended leaves: its model/, or its adapter/ where lora.export is "adapter" or that alone is there;
// "" where neither is.
std::string exported_by(const std::string& run_directory);

// The directory that `which` ("best", "last" or a path) means: a checkpoint, or model/ where the run has
// ended with its best one. ConfigError naming what is there.
std::string checkpoint_directory(const RunConfig& config, const std::string& which);

}  // namespace sft
