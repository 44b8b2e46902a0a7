// The files that a config or a command line names.
#pragma once

#include <string>

#include "base/config_file.h"

namespace sft {

// Whether a directory is an input of its own, as of images.
enum class Accepts { files, folders_too };

// The files that patterns stand for, in the order given, those of one glob sorted by name. A directory that `datasets`
// saved stands for the files of the split that the key asks for. ConfigError with key and origin where one matches
// nothing or cannot be read.
StringList expand_files(const StringList& patterns, const std::string& key, const Origins& origins,
                        Accepts accepts = Accepts::files);

}  // namespace sft
