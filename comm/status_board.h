// Where the ranks of one host write what they are doing, in memory that all of them see. It has no
// name in any file system, so nothing is left behind however they end.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "comm/observed.h"

namespace sft {

// Written by its rank, read by the watchdogs of others.
struct alignas(64) Status {
  std::atomic<int64_t> sequence{0};  // of the last collective begun
  std::atomic<bool> inside{false};   // of it
  std::atomic<Operation::Kind> kind{Operation::Kind::barrier};
  std::atomic<int64_t> bytes{0};
  std::atomic<int64_t> step{0};
  std::array<std::atomic<uint64_t>, 2> phase{};  // 16 characters
  std::atomic<int64_t> alive_at{0};              // nanoseconds of the monotonic clock, by the watchdog's thread

  void set_phase(std::string_view name);
  std::string phase_name() const;
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
