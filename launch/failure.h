// What an exception means for the process: exit code, words, and whom it concerns.
#pragma once

#include <string>

#include "base/errors.h"

namespace sft {

struct Failure {
  ExitCode code = ExitCode::internal;
  std::string message;
  Reach reach = Reach::here;
};

// Of the exception that is being handled. What LibTorch, oneDNN and the standard library say where memory is lacking
// becomes ExitCode::out_of_memory.
Failure current_failure();

// From now on an exception that no one catches, on whatever thread, ends the process with its own words and code, in
// place of a core dump.
void report_uncaught_exceptions();

}  // namespace sft
