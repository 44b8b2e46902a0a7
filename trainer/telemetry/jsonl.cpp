// metrics.jsonl: one object an event, in the order of its keys, handed to the system at once.
#include <ctime>
#include <filesystem>
#include <memory>
#include <sstream>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/log.h"
#include "base/text.h"
#include "trainer/telemetry/event.h"
#include "trainer/telemetry/record_file.h"

namespace sft {
namespace {

using nlohmann::ordered_json;

// The lines of steps that the resumed run will not do again; a line that a crash tore is left out.
std::string lines_until(const std::string& content, int64_t step) {
  std::istringstream in(content);
  std::string kept;
  for (std::string line; std::getline(in, line);) {
    const auto values = ordered_json::parse(line, nullptr, false);
    const auto at = values.is_object() ? values.find("step") : values.end();
    if (values.is_object() && at != values.end() && at->is_number() && at->get<int64_t>() <= step) kept += line + "\n";
  }
  return kept;
}

// What an earlier start logged; "" where there was none. A log that cannot be read is kept under another name.
std::string earlier_log(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return "";
  try {
    return read_file(path);
  } catch (const ConfigError& error) {
    const std::string kept = concat(path, ".unread-", std::time(nullptr));
    real_files().rename(path, kept);
    log::warn(
        concat("the log of the earlier start is lacking in ", path, ": ", error.what(), "; it is kept as ", kept));
    return "";
  }
}

}  // namespace

Sink make_jsonl(const std::string& path, int64_t resumed_step) {
  write_atomically(real_files(), path, lines_until(earlier_log(path), resumed_step));
  const auto file = std::make_shared<RecordFile>(path);
  return [file](const Event& event) {
    if (event.kind == Event::Kind::summary) return;  // summary.json has it
    file->append(event.values.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  };
}

}  // namespace sft
