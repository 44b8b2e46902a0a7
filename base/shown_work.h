// Long work as a person sees it: how much of it is done. Who shows it is said once in a process; where nobody does,
// nothing is shown.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/stopwatch.h"

namespace sft {

struct WorkDone {
  std::string name;  // "evaluated"
  std::string unit;  // "samples"; "bytes" are written as MiB
  int64_t done = 0, total = 0;
  double seconds = 0;  // since it began
};

// What is done, and the end of it. Called by the thread that works, one at a time.
struct WorkViewer {
  std::function<void(const WorkDone&)> show = [](const WorkDone&) {};
  std::function<void()> end = [] {};
};

void set_work_viewer(WorkViewer viewer);

// A piece of work from construction to destruction.
class ShownWork {
 public:
  // Ranks share the work; what this one has done of its share, `mine`, stands for how far all have come.
  ShownWork(std::string name, std::string unit, int64_t total, int64_t mine);
  ~ShownWork();
  ShownWork(const ShownWork&) = delete;
  ShownWork& operator=(const ShownWork&) = delete;

  void add(int64_t done);

 private:
  WorkDone shown_;
  int64_t mine_, done_ = 0;
  Stopwatch watch_;
};

}  // namespace sft
