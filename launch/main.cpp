// sft-dist: parse the command line, join the job, run the command, leave with its code.
#include "base/process.h"
#include "launch/command_line.h"
#include "launch/commands/commands.h"
#include "launch/job.h"

int main(int argc, char** argv) {
  sft::keep_freed_memory();
  const sft::Parsed parsed = sft::parse_command_line(argc, argv);
  if (parsed.ends) return parsed.exit_code;
  const sft::Command command = sft::find_command(parsed.arguments.command);
  return sft::run_job([&](sft::Job& job) { return command(parsed.arguments, job); });
}
