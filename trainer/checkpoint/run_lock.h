// One run directory, one job.
#pragma once

#include <cstdint>
#include <string>

namespace sft {

// Held from construction to destruction, by one process a job: flock on directory/.lock, which the system
// releases when its holder dies, and a fence file directory/.lock.<number> that names the holder. The number
// grows with every holder, so where a file system does not carry locks between nodes, a holder that was
// overtaken sees it.
class RunLock {
 public:
  // Makes the directory where it is missing. An Error with ExitCode::run_locked that names the holder, where there
  // is one; StorageError where the lock cannot be written.
  explicit RunLock(const std::string& directory);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  // An Error with ExitCode::run_locked if another job has taken the directory since, or if it was removed, moved or
  // replaced: then this lock keeps nobody off what stands there now.
  void require_held() const;

 private:
  void raise_fence() const;

  std::string directory_;
  int descriptor_ = -1;
  int64_t number_ = 0;
};

}  // namespace sft
