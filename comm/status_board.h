// Where the ranks of one host write what they are doing, in memory that all of them see. It has no
// name in any file system, so nothing is left behind however they end.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "comm/observed.h"

namespace sft {

// Written by its rank, read by the watchdogs of others.
struct alignas(64) Status {
  std::atomic<int64_t> sequence{0};  // of the last collective begun
  std::atomic<bool> inside{false};   // of it
  std::atomic<Operation::Kind> kind{Operation::Kind::barrier};
  std::atomic<int64_t> bytes{0};
  std::atomic<int64_t> queued{0}, finished{0};  // collectives of this rank's device
  std::atomic<int64_t> ticks{0};                // of the watchdog's thread
  Progress progress;                            // of the thread that works for the rank
};

class StatusBoard {
 public:
  struct Line {
    int rank;
    const Status* status;
  };

  // Collective over `control`.
  StatusBoard(Communicator& control, const std::string& host);
  ~StatusBoard();
  StatusBoard(const StatusBoard&) = delete;
  StatusBoard& operator=(const StatusBoard&) = delete;

  Status& mine() { return *mine_; }
  const std::vector<Line>& lines() const { return lines_; }  // of this host, by rank
  const std::vector<std::string>& other_hosts() const { return other_hosts_; }

 private:
  void* memory_ = nullptr;
  size_t bytes_ = 0;
  Status* mine_ = nullptr;
  std::vector<Line> lines_;
  std::vector<std::string> other_hosts_;
};

}  // namespace sft
