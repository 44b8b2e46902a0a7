// Who made a directory. A name or a manifest proves nothing: what this program removes or replaces bears a mark in it,
// the file .sft-dist, and what bears none is somebody's.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/file_ops.h"

namespace sft {

inline constexpr char kMarkName[] = ".sft-dist";

// Marks the directory as made by this program; `about` is an object that says what it is and for whom.
void leave_mark(FileOps& files, const std::string& directory, nlohmann::json about);

// What leave_mark left; nothing where there is no such file or another program wrote it.
std::optional<nlohmann::json> mark_of(const std::string& directory);

}  // namespace sft
