// Both by way of a temporary file and a rename.
#include "trainer/checkpoint/run_outputs.h"

#include "base/text.h"

namespace sft {

void write_exit_status(FileOps& files, const std::string& directory, ExitCode code) {
  write_atomically(files, concat(directory, "/exit_status"), concat(static_cast<int>(code), "\n"));
}

void write_summary(FileOps& files, const std::string& directory, const nlohmann::ordered_json& summary) {
  const std::string text = summary.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  write_atomically(files, concat(directory, "/summary.json"), text + "\n");
}

}  // namespace sft
