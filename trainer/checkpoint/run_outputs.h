// The small files a run leaves for scripts: exit_status and summary.json, each whole or not there.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

#include "base/errors.h"
#include "base/file_ops.h"

namespace sft {

// output_dir/exit_status: the number alone. mpirun may return a code of its own, so scripts read this one.
void write_exit_status(FileOps& files, const std::string& directory, ExitCode code);

// output_dir/summary.json
void write_summary(FileOps& files, const std::string& directory, const nlohmann::ordered_json& summary);

}  // namespace sft
