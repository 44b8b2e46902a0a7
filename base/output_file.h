// A file that the user names to be written: never one that is read, nor what is no plain file.
#pragma once

#include <string>
#include <vector>

namespace sft {

// The path to write `path` at, links followed, so that a link stays one. `inputs` are the files that are read, and
// directories whose files are. ConfigError, which calls the path by `option` ("--output"), where it is one of them,
// through whatever links; a directory, device, pipe or socket; or in a directory that is not there.
std::string output_file(const std::string& option, const std::string& path, const std::vector<std::string>& inputs);

// Equal for two paths exactly where both lead to one file or directory, through whatever links; it need not be there.
std::string file_identity(const std::string& path);

// Whether both paths lead to one file or directory.
bool is_same_file(const std::string& one, const std::string& other);

// Whether `path` is `directory`, or lies in it at any depth; both followed through links.
bool lies_in(const std::string& path, const std::string& directory);

}  // namespace sft
