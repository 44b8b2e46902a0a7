// Messages for people, on standard error. Rank 0 speaks; the others are silent below `warn`, and
// what they say names their rank. spdlog lives in log.cpp alone, so no other file sees fmt.
#pragma once

#include <string>

namespace sft::log {

// Called once by `launch`, before which everything is printed as by rank 0 of 1.
void start(int rank, int world);

void info(const std::string& message);
void warn(const std::string& message);
void error(const std::string& message);

// As `warn`, but on rank 0 only and once a message: for a setting that every rank sees.
void warn_once(const std::string& message);

}  // namespace sft::log
