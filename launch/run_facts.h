// What a run follows from.
#pragma once

#include <string>

#include "comm/agreement.h"
#include "trainer/config/run_config.h"

namespace sft {

// Every key of the config, after overrides. `threads` is a rank's own, unless the bits are to be the same on a repeat.
Facts config_facts(const RunConfig& config);

// The content of files as this rank sees it, by path: the number of bytes, and a checksum over all of them or, of files
// above 4 MiB, over 64 pieces of 64 KiB that stand evenly in it. Fewer pieces where there are more than 64 such files.
// A directory is its own path alone: what is in it is compared when its samples are.
Facts file_facts(const StringList& files);

// file_facts() of what a model directory holds for reading it: .json, .txt, .model, .jinja and .safetensors; and of an
// adapter's.
Facts model_facts(const std::string& model_name_or_path, const std::string& adapter);

// All of these, for the config's model and rows. A file that cannot be read stands there with the error in place of its
// content: where no rank can read it, the command itself refuses it.
Facts run_facts(const RunConfig& config);

// The same of a trained model in a directory of its own, and of other rows.
Facts served_facts(const RunConfig& config, const std::string& model_directory, const StringList& files);

}  // namespace sft
