// Whose files stand where a run or a sweep is to write. A name proves nothing: what this program made bears its mark
// (base/mark.h), or, made by a build before there were marks, what such a build alone writes.
#pragma once

#include <string>

#include "trainer/config/run_config.h"

namespace sft {

// Whether the directory is a run's, or a sweep's.
bool is_own(const std::string& directory);

// Makes the directory of a run, or of a sweep, where it is missing, and marks it. ConfigError where it is not this
// program's and holds a file under a name that is to be written: somebody's file would be lost. For rank 0.
void take_run_directory(const std::string& directory);
void take_sweep_directory(const std::string& directory);

// The rows, models and templates that a run of this config reads; rows may be patterns.
StringList read_by(const RunConfig& config);

// output_file(), with inputs that may be patterns, and a ConfigError also where the path is a file that a run has left:
// its log, its record, its rows, or one of its models and checkpoints. A report may be replaced.
std::string output_beside_runs(const std::string& option, const std::string& path, const StringList& inputs);

// For what is to be made at `path`, where nothing is yet. ConfigError, which calls it by `option`, where it would lie in
// a checkpoint, a model or scratch that this program made and may replace or remove, or in a directory that is read; or,
// in a run or a sweep, under a name that it gives a file of its own.
void refuse_among_ours(const std::string& option, const std::string& path, const StringList& inputs);

// ConfigError where the run of this config would write over a file or a model that it reads.
void refuse_over_inputs(const RunConfig& config);

// ConfigError where a file or a model that the run reads lies in its output_dir, which is to be moved aside.
void refuse_to_move_inputs(const RunConfig& config);

}  // namespace sft
