#include "trainer/telemetry/chrome_trace.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace sft {

using nlohmann::ordered_json;

std::string chrome_events(const std::vector<timeline::Event>& events, int rank) {
  const ordered_json name{
      {"name", "process_name"}, {"ph", "M"}, {"pid", rank}, {"args", {{"name", concat("rank ", rank)}}}};
  std::string text = name.dump();
  for (const timeline::Event& event : events) {
    const ordered_json span{{"name", event.name},         {"ph", "X"},           {"ts", event.begin},
                            {"dur", 1e6 * event.seconds}, {"tid", event.thread}, {"pid", rank}};
    text += ",\n" + span.dump();
  }
  return text;
}

std::string chrome_trace(const std::vector<std::string>& of_ranks) {
  return "{\"traceEvents\": [\n" + join(of_ranks, ",\n") + "\n]}\n";
}

}  // namespace sft
