// The trace format that Chrome and ui.perfetto.dev read: complete events ("ph": "X") by process and thread, times in
// microseconds. A rank is a process.
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
#pragma once

#include <string>
#include <vector>

#include "base/timeline.h"

namespace sft {

// One rank's events, as the inside of a JSON array.
std::string chrome_events(const std::vector<timeline::Event>& events, int rank);

// The document, from what each rank gave.
std::string chrome_trace(const std::vector<std::string>& of_ranks);

}  // namespace sft
