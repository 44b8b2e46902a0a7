// How rows to predict are read: as the run has read its own, or, of a model directory, as it says itself.
#pragma once

#include <string>

#include "launch/command_line/command_line.h"
#include "launch/loaded_model.h"
#include "trainer/config/run_config.h"

namespace sft {

struct ReadAs {
  std::string model;  // its directory
  RunConfig config;
  StringList files;
  bool assumes = false;  // a model directory, which does not know all of it
};

// ConfigError where the target is neither, or an input is missing. Options of the command line go before all else.
ReadAs settle_reading(const Arguments& arguments);

// A model directory, or a run's, and the settings that it was trained under, on whatever this job computes with.
struct ModelToTalkTo {
  std::string directory;
  RunConfig config;
};
ModelToTalkTo model_to_talk_to(const std::string& target);

// A chat template that was exported with the model goes before the file that it was taken from, which may have changed
// since.
void take_own_template(const std::string& model, DataConfig& data);

// What a model directory, or an adapter's, says of its rows.
RunConfig settings_of_model(const ModelDirectory& model);

// Tells which columns, cut and size are taken of a model directory.
void say_assumptions(const LoadedModel& model, const RunConfig& config);

}  // namespace sft
