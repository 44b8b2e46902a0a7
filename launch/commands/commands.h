// One function a command, one file each. All ranks run it.
#pragma once

#include <functional>
#include <string>

#include "base/errors.h"
#include "launch/command_line/command_line.h"
#include "launch/job.h"

namespace sft {

using Command = std::function<ExitCode(const Arguments&, Job&)>;
Command find_command(const std::string& name);

// Trains, or goes on with, the run that `loaded` describes.
ExitCode train_run(LoadedConfig loaded, Job& job);

ExitCode train(const Arguments& arguments, Job& job);
ExitCode evaluate(const Arguments& arguments, Job& job);
ExitCode predict(const Arguments& arguments, Job& job);
ExitCode chat(const Arguments& arguments, Job& job);
ExitCode prepare(const Arguments& arguments, Job& job);
ExitCode export_run(const Arguments& arguments, Job& job);
ExitCode sweep(const Arguments& arguments, Job& job);
ExitCode report(const Arguments& arguments, Job& job);
ExitCode clean(const Arguments& arguments, Job& job);
ExitCode noise(const Arguments& arguments, Job& job);
ExitCode find_lr(const Arguments& arguments, Job& job);
ExitCode inspect(const Arguments& arguments, Job& job);
ExitCode check(const Arguments& arguments, Job& job);
ExitCode plan(const Arguments& arguments, Job& job);
ExitCode doctor(const Arguments& arguments, Job& job);
ExitCode init(const Arguments& arguments, Job& job);
ExitCode help(const Arguments& arguments, Job& job);

}  // namespace sft
