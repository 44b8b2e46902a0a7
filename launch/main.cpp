// sft-dist: parse the command line, join the job, run the command, leave with its code.
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>

#include "base/log.h"
#include "base/process.h"
#include "base/stack.h"
#include "base/terminal.h"
#include "launch/command_line/command_line.h"
#include "launch/commands/commands.h"
#include "launch/deadline.h"
#include "launch/failure.h"
#include "launch/job.h"
#include "launch/program_facts.h"
#include "launch/signals.h"
#include "launch/standard_output.h"

namespace {

// LibTorch's libraries allocate while they are loaded, before main and before anybody can catch what they throw.
void end_without_memory() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    constexpr std::string_view kWords = "[sft-dist] error: out of memory while the program was loaded\n";
    [[maybe_unused]] const ssize_t told = ::write(STDERR_FILENO, kWords.data(), kWords.size());
    ::_exit(static_cast<int>(sft::ExitCode::out_of_memory));
  } catch (...) {
    std::abort();
  }
}

// Lines in a file or a pipe say when they were written; on a terminal a person sees it.
void settle_talk(const sft::Arguments& arguments) {
  using sft::log::Talk;
  sft::log::set_talk(arguments.quiet ? Talk::quiet : arguments.verbose ? Talk::detailed : Talk::usual);
  sft::log::set_stamped(sft::Terminal::of_standard_error() == nullptr);
}

void before_libraries() {
  std::set_terminate(end_without_memory);
  sft::make_room_on_stack();
}

// Called before the constructors of any library (System V ABI, DT_PREINIT_ARRAY).
[[gnu::section(".preinit_array"), gnu::used]] void (*const first_of_all)() = before_libraries;

}  // namespace

int main(int argc, char** argv) {
  sft::report_uncaught_exceptions();
  sft::signals::outlive_readers();
  sft::keep_freed_memory();
  sft::require_room_on_stack();
  const sft::Parsed parsed = sft::parse_command_line(argc, argv);
  if (parsed.ends) {
    sft::flush_standard_output();
    return parsed.exit_code;
  }
  settle_talk(parsed.arguments);
  const sft::Command command = sft::find_command(parsed.arguments.command);
  return sft::run_job(sft::waiting_limit(parsed.arguments), [&](sft::Job& job) {
    sft::require_agreement(job.control(), [&] { return sft::program_facts(parsed.arguments); });
    return command(parsed.arguments, job);
  });
}
