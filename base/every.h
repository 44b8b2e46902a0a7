// Steps of a thread that runs beside the others.
#pragma once

#include <functional>
#include <stop_token>

namespace sft {

// Calls step(passed) every `period` seconds until a stop is requested, which it does not wait for. `passed` is in
// seconds, two periods at most: a job that was suspended as a whole has not been waiting meanwhile.
void every(double period, const std::stop_token& stop, const std::function<void(double passed)>& step);

}  // namespace sft
