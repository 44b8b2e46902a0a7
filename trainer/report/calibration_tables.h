// How often probabilities are right, as a table and a plot.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "trainer/report/run_record.h"

namespace sft {

// `details`: of an evaluation, whose "calibration" is Reliability's table; then what summary.json tells of temperature
// and thresholds. "" where there is none of it.
std::string calibration_tables(const nlohmann::ordered_json& details, const RunRecord& record);

}  // namespace sft
