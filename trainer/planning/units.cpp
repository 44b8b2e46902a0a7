#include "trainer/planning/units.h"

#include <cmath>
#include <cstdlib>
#include <iomanip>
#include <map>

#include "base/errors.h"
#include "base/text.h"

namespace sft::planning {
namespace {

using Units = std::map<std::string, double>;

const Units& seconds_of_units() {
  static const Units units{{"ns", 1e-9}, {"us", 1e-6}, {"µs", 1e-6}, {"ms", 1e-3}, {"s", 1}};
  return units;
}

const Units& bytes_of_units() {
  static const Units units = [] {
    Units all{{"KiB/s", 0x1p10}, {"MiB/s", 0x1p20}, {"GiB/s", 0x1p30}, {"TiB/s", 0x1p40}};
    for (const auto& [prefix, factor] : Units{{"", 1}, {"K", 1e3}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}}) {
      all[prefix + "B/s"] = factor;
      for (const char* bit : {"b/s", "bit/s", "bps"}) all[prefix + bit] = factor / 8;
    }
    return all;
  }();
  return units;
}

double number_from(const std::string& text, const std::string& option, const Units& units, const char* wanted) {
  char* behind = nullptr;
  const double number = std::strtod(text.c_str(), &behind);
  std::string unit = behind;
  unit.erase(0, unit.find_first_not_of(' '));
  const auto found = units.find(unit);
  if (behind == text.c_str() || found == units.end() || !std::isfinite(number) || number < 0)
    throw Error(ExitCode::usage, concat(option, ": wanted ", wanted, ", found ", in_quotes(text)));
  return number * found->second;
}

std::string rounded(double value, const char* unit) { return concat(std::setprecision(3), value, ' ', unit); }

}  // namespace

double seconds_from(const std::string& text, const std::string& option) {
  return number_from(text, option, seconds_of_units(), "a time as 20us or 0.3ms");
}

double rate_from(const std::string& text, const std::string& option) {
  const double rate = number_from(text, option, bytes_of_units(), "a rate above 0, as 12GB/s or 100Gbit/s");
  if (rate > 0) return rate;
  throw Error(ExitCode::usage, concat(option, ": wanted a rate above 0, as 12GB/s or 100Gbit/s, found ", in_quotes(text)));
}

std::string time_text(double seconds) {
  if (seconds < 1e-3) return rounded(seconds * 1e6, "us");
  if (seconds < 1) return rounded(seconds * 1e3, "ms");
  return human_seconds(seconds);
}

std::string rate_text(double bytes_per_second) {
  return bytes_per_second < 1e9 ? rounded(bytes_per_second * 1e-6, "MB/s") : rounded(bytes_per_second * 1e-9, "GB/s");
}

}  // namespace sft::planning
