// metrics.jsonl: one object an event, in the order of its keys, written through at once.
#include <fstream>
#include <memory>

#include "base/errors.h"
#include "base/file_ops.h"
#include "trainer/telemetry/event.h"

namespace sft {
namespace {

// The lines of steps that the resumed run will not do again. A last line that a crash tore is left out.
std::string kept_lines(const std::string& path, int64_t resumed_step) {
  std::ifstream in(path, std::ios::binary);
  std::string kept;
  for (std::string line; std::getline(in, line);) {
    const auto values = nlohmann::json::parse(line, nullptr, false);
    if (values.is_object() && values.value("step", int64_t{0}) <= resumed_step) kept += line + "\n";
  }
  return kept;
}

}  // namespace

Sink make_jsonl(const std::string& path, int64_t resumed_step) {
  write_atomically(real_files(), path, resumed_step > 0 ? kept_lines(path, resumed_step) : "");
  const auto out = std::make_shared<std::ofstream>(path, std::ios::app | std::ios::binary);
  return [out, path](const Event& event) {
    if (event.kind == Event::Kind::summary) return;
    *out << event.values.dump() << '\n' << std::flush;
    if (!*out) throw StorageError("cannot write " + path);
  };
}

}  // namespace sft
