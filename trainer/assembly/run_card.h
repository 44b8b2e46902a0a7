// The card of a run's model, made from what lies in the run's directory.
#pragma once

#include <cstdint>
#include <string>

#include "trainer/assembly/assemble.h"

namespace sft {

// README.md for the weights of a checkpoint at `step`, or for what the run left at its end, which came from there.
// `started_from`: the directory that model_name_or_path means.
enum class CardOf { checkpoint, final_model };
std::string card_of(const RunConfig& config, const std::string& started_from, const std::string& library, int64_t step,
                    CardOf what);

// What the run leaves at its end by lora.export: model/, adapter/ or both.
struct Exports {
  bool model = false, adapter = false;
};
Exports exports_of(const Assembly& run);

// Puts README.md beside the weights that the run leaves, once summary.json is; rank 0 alone. What goes wrong is told as
// a warning, and weights of an earlier end, under the other name of the two, are told to be so.
void leave_cards(const Assembly& run, int64_t step);

// For summary.json: rows of each split, and of the training rows how many have each label, where they were counted.
nlohmann::ordered_json data_counts(const Assembly& run);

// Of the weights that are exported: that of the best checkpoint, where it was loaded, else the last.
int64_t exported_step(const Assembly& run);

}  // namespace sft
