// The directory of an export, published by one rename.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/file_ops.h"
#include "trainer/model_files/model_directory.h"

namespace sft {

// Writes files into a directory, and gives back the crc32c of each by its name.
using WriteFiles = std::function<nlohmann::json(const std::string& directory)>;

// Makes the directory with what `write` puts there and the files `beside`, under a mark that names them all. Called by
// rank 0 alone. One that stands there already is moved aside first. It is removed when the new one is in place, if it
// holds what an export left, to the byte; else, changed since or made before exports bore a mark, it stays as
// <directory>.kept-<unique>, which is told. What is half-made is removed where it fails; what an export that was killed
// has left of it, by the next of that name.
void publish_directory(FileOps& files, const std::string& directory, const WriteFiles& write, const NamedFiles& beside);

// crc32c of a file that may be larger than memory.
uint32_t crc32c_of_file(const std::filesystem::path& path);

}  // namespace sft
