// Messages for people, on standard error. Rank 0 speaks; the others are silent below `warn`, and
// what they say names their rank. spdlog lives in log.cpp alone, so no other file sees fmt.
#pragma once

#include <string>

namespace sft::log {

// Called once by `launch`, before which everything is printed as by rank 0 of 1.
void start(int rank, int world);

// quiet: warnings and errors alone; detailed: also what happens underneath.
enum class Talk { quiet, usual, detailed };
void set_talk(Talk talk);
Talk talk();

// Whether each line begins with the time. `launch` wishes it where no terminal shows the lines.
void set_stamped(bool stamped);

// What a line begins with: "2026-11-30T12:34:56 ", the local time as SLURM writes it, or "".
std::string stamp();

// With Talk::detailed alone.
void detail(const std::string& message);
void detail_of_each_rank(const std::string& message);  // whoever calls speaks

void info(const std::string& message);
void warn(const std::string& message);
void error(const std::string& message);

// As `warn`, but on rank 0 only and once a message: for a setting that every rank sees.
void warn_once(const std::string& message);

}  // namespace sft::log
