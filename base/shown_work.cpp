#include "base/shown_work.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace sft {
namespace {

std::mutex viewer_mutex;

WorkViewer& viewer() {
  static WorkViewer current;
  return current;
}

}  // namespace

void set_work_viewer(WorkViewer next) {
  const std::lock_guard lock(viewer_mutex);
  viewer() = std::move(next);
}

ShownWork::ShownWork(std::string name, std::string unit, int64_t total, int64_t mine)
    : shown_{.name = std::move(name), .unit = std::move(unit), .total = total}, mine_(mine) {}

ShownWork::~ShownWork() {
  const std::lock_guard lock(viewer_mutex);
  viewer().end();
}

void ShownWork::add(int64_t done) {
  done_ = std::min(done_ + done, mine_);
  if (done_ <= 0) return;
  shown_.done = static_cast<int64_t>(static_cast<double>(done_) / static_cast<double>(mine_) *
                                     static_cast<double>(shown_.total));
  shown_.seconds = watch_.seconds();
  const std::lock_guard lock(viewer_mutex);
  viewer().show(shown_);
}

}  // namespace sft
