// README.md of an exported model, as the Hugging Face hub reads it.
#pragma once

#include <cstdint>
#include <string>

#include "trainer/report/run_record.h"

namespace sft {

struct CardFacts {
  std::string model_path;    // the directory that training started from
  std::string library;       // "transformers", or "peft" of an adapter
  std::string pipeline_tag;  // "text-classification"; "": it is not said
  int64_t step = 0;          // of the weights; their evaluation is looked for in the record's curves
  bool is_final = false;  // what the run left at its end, with what is settled there: thresholds, temperature, priors
};

// Front matter in YAML (base model, where it is one of the hub; licence, where the base model's own card has it;
// metrics as model-index), then data counts, metrics, and settings that differ from the usual ones.
std::string model_card(const RunRecord& record, const CardFacts& facts);

}  // namespace sft
