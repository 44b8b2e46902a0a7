// The record of an ended run in summary.json, with which a start in the same directory is compared.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "trainer/assembly/assemble.h"

namespace sft {

struct EndedRun {
  bool stopped_early = false;  // by early stopping, before its last update
  int64_t step = 0;
  int64_t evaluations_without_gain = 0;
  nlohmann::json settings;  // settings that alter training (training_keys)
  // Identifies the rows of its evaluations, "" where it had none; nothing: a build of before did not write it down.
  std::optional<std::string> validation_data;
  std::string test_data;  // identifies the rows that were evaluated at the end; "" where none were
};

// Nothing where no summary says that the run in `output_dir` has ended.
std::optional<EndedRun> read_ended_run(const std::string& output_dir);

// The same, and of a run that is trained further its end before, of which model/ still is.
std::optional<EndedRun> read_last_end(const std::string& output_dir);

// The `exit_reason` of a run that is trained further.
inline constexpr const char* kGoingOn = "going_on";

// Opens the summary of an earlier end or stop, where there is one: no end is told any more, and what stood there is its
// `before`; of a stop of a run that is trained further, the end before that. For rank 0, as soon as a start trains.
void reopen_summary(const std::string& output_dir);

// The earlier end that a start has opened, its `before`; null where there is none. For rank 0, in whose summary of a
// stop it stays.
nlohmann::ordered_json end_before(const std::string& output_dir);

// The part of summary.json that read_ended_run looks for, of a run that ends here.
nlohmann::ordered_json record_of(const Assembly& run);

// The work that `run` asks for and the ended run in its output_dir has not done. ConfigError where `run` asks for other
// training, or for less of it.
enum class Left { nothing, test, training };  // in rising order
Left left_of(const EndedRun& ended, const Assembly& run);

// Whether `run` has other validation rows than the ended one was measured on.
bool is_validated_on_others(const EndedRun& ended, const Assembly& run);

}  // namespace sft
