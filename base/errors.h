// The three kinds of failure and their exit codes. The user erred: ConfigError, DataError. The
// world failed: CommError, DeviceError, StorageError. We erred: assert. Only `launch` turns an
// error into the end of a process.
#pragma once

#include <stdexcept>
#include <string>

namespace sft {

enum class ExitCode : int {
  done = 0,
  usage = 2,    // command line
  device = 69,  // device or communication
  internal = 70,
  requeue = 75,      // checkpointed, requeue me
  hang = 76,         // ended by the watchdog
  run_locked = 77,   // run directory held by another job
  config = 78,       // anything wrong in the config, missing files included
  bad_content = 79,  // an existing file holds something wrong
  not_finite = 80,   // loss or gradients
  cannot_write = 81,
  out_of_memory = 82,
  crash_loop = 93,  // do not requeue
};

// Who has an error: this rank alone, or every rank, the same one. Where all have it, rank 0 tells it
// and all end in order; where one has it, that rank tells it and takes the others down.
enum class Reach { here, everywhere };

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message, Reach reach = Reach::here)
      : std::runtime_error(message), code_(code), reach_(reach) {}
  ExitCode code() const { return code_; }
  Reach reach() const { return reach_; }

 private:
  ExitCode code_;
  Reach reach_;
};

// The config asks for what cannot be done. Names file, line and key where there are any.
struct ConfigError : Error {
  explicit ConfigError(const std::string& message) : Error(ExitCode::config, message) {}
};

// The content of an existing file is wrong. Names file and row, dataset or tensor.
struct DataError : Error {
  explicit DataError(const std::string& message) : Error(ExitCode::bad_content, message) {}
};

struct CommError : Error {
  explicit CommError(const std::string& message) : Error(ExitCode::device, message) {}
};

struct DeviceError : Error {
  explicit DeviceError(const std::string& message) : Error(ExitCode::device, message) {}
};

// Something could not be written. Names path, operation and the system's reason.
struct StorageError : Error {
  explicit StorageError(const std::string& message) : Error(ExitCode::cannot_write, message) {}
};

}  // namespace sft
