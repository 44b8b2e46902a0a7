// Times and rates as people write them: 20us, 1.5ms; 12GB/s, 100Gbit/s.
#pragma once

#include <string>

namespace sft::planning {

// Seconds of "20us", "20 µs", "0.3ms", "2s", "500ns". Error with ExitCode::usage naming `option` where it is none, or is
// below zero.
double seconds_from(const std::string& text, const std::string& option);

// Bytes a second of "12GB/s", "800MB/s", "11.6GiB/s", "100Gbit/s", "10Gb/s": B is a byte, b and bit are a bit. Error as
// above where it is none, or is not above zero.
double rate_from(const std::string& text, const std::string& option);

std::string time_text(double seconds);  // "12.3 us", "4.5 ms", "1.20 s", "2m07s"
std::string rate_text(double bytes_per_second);  // "12.3 GB/s"

}  // namespace sft::planning
