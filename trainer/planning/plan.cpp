#include "trainer/planning/plan.h"

#include <array>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "base/text.h"
#include "trainer/planning/units.h"

namespace sft::planning {
namespace {

struct Part {
  const char* name;
  int64_t Memory::*bytes;
};
constexpr std::array<Part, 8> kParts{{{"weights", &Memory::weights},
                                      {"copies", &Memory::copies},
                                      {"gradients", &Memory::gradients},
                                      {"moments", &Memory::moments},
                                      {"activations", &Memory::activations},
                                      {"buckets", &Memory::buckets},
                                      {"program", &Memory::program},
                                      {"kept", &Memory::kept}}};

std::string bytes_text(int64_t bytes) { return human_bytes(static_cast<double>(bytes)); }
std::string count_text(int64_t count) { return human_count(static_cast<double>(count)); }
std::string percent(double share) { return concat(std::setprecision(3), 100 * share, " %"); }

std::vector<Memory> of_strategies(const Plan& plan) {
  std::vector<Memory> all;
  for (const std::string_view strategy : kStrategies)
    all.push_back(plan_memory(plan.run, strategy, plan.fabric.ranks()));
  return all;
}

void line(std::ostringstream& out, const std::string& name, const std::string& value) {
  out << std::left << std::setw(12) << name << value << '\n';
}

void row(std::ostringstream& out, const std::string& name, const std::vector<std::string>& cells) {
  out << "  " << std::left << std::setw(16) << name << std::right;
  for (const std::string& cell : cells) out << std::setw(14) << cell;
  out << '\n';
}

void tell_memory(std::ostringstream& out, const Plan& plan) {
  const std::vector<Memory> all = of_strategies(plan);
  const auto cells = [&](const auto& text_of) {
    std::vector<std::string> texts;
    for (const Memory& memory : all) texts.push_back(text_of(memory));
    return texts;
  };
  line(out, "memory",
       concat("a rank, by parallel.strategy; the config has ", plan.room.strategy, "; activations of ",
              count_text(plan.run.tokens), " tokens or samples at once, ",
              bytes_text(plan.run.tokens > 0 ? plan.run.activations / plan.run.tokens : 0), " each"));
  row(out, "", {kStrategies.begin(), kStrategies.end()});
  for (const auto& [name, bytes] : kParts)
    row(out, name, cells([bytes = bytes](const Memory& memory) { return bytes_text(memory.*bytes); }));
  row(out, "in evaluations",
      cells([](const Memory& memory) { return memory.whole > 0 ? bytes_text(memory.whole) : "-"; }));
  row(out, "at the start", cells([](const Memory& memory) { return bytes_text(memory.start); }));
  row(out, "peak", cells([](const Memory& memory) { return bytes_text(memory.peak()); }));
  if (plan.run.on_device)
    row(out, "on the host", cells([](const Memory& memory) { return bytes_text(memory.host_copies); }));
  if (plan.room.bytes == 0) return;
  row(out, "fits", cells([&](const Memory& memory) { return memory.peak() <= plan.room.bytes ? "yes" : "no"; }));
  line(out, "room", concat(bytes_text(plan.room.bytes), " a rank"));
  if (const std::vector<std::string> ways = ways_to_fit(plan.run, plan.room); !ways.empty())
    line(out, "too large", "what helps: " + join(ways, "; or "));
}

void tell_time(std::ostringstream& out, const Plan& plan) {
  if (!plan.update) {
    line(out, "time", "not told: " + plan.refusal);
    return;
  }
  const PlannedUpdate& update = *plan.update;
  line(out, "time",
       concat(time_text(update.seconds), " an update, ",
              human_seconds(update.seconds * static_cast<double>(plan.updates_of_epoch)), " an epoch, ",
              human_seconds(update.seconds * static_cast<double>(plan.updates)),
              " in all; evaluation and saving come to it"));
  line(out, "",
       concat("of an update ", time_text(update.computing), " computing, ", time_text(update.waiting),
              " waiting for other ranks (", percent(update.waiting / update.seconds), "); all of its ",
              human_bytes(update.bytes), " between ranks take ", time_text(update.collective),
              plan.run.overlaps ? ", beside computing where they can" : ", none of it beside computing"));
  line(out, "links", plan.links);
}

nlohmann::ordered_json json_of(const Memory& memory, const Plan& plan) {
  nlohmann::ordered_json parts;
  for (const auto& [name, bytes] : kParts) parts[name] = memory.*bytes;
  parts["in_evaluations"] = memory.whole;
  parts["start"] = memory.start;
  parts["peak"] = memory.peak();
  parts["host_copies"] = memory.host_copies;
  if (plan.room.bytes > 0) parts["fits"] = memory.peak() <= plan.room.bytes;
  return parts;
}

nlohmann::ordered_json json_of(const std::optional<Link>& link) {
  if (!link) return nullptr;
  return {{"latency_seconds", link->latency}, {"bytes_per_second", link->bandwidth}};
}

}  // namespace

std::string table_of(const Plan& plan) {
  std::ostringstream out;
  const Fabric& fabric = plan.fabric;
  line(out, "ranks", concat(fabric.ranks(), ": ", fabric.nodes, fabric.nodes == 1 ? " node" : " nodes", " of ",
                            fabric.per_node, " (", plan.device, ")"));
  line(out, "updates", concat(count_text(plan.updates), " of ", count_text(plan.rows_of_update), " rows, ",
                              count_text(plan.updates_of_epoch), " an epoch"));
  tell_memory(out, plan);
  tell_time(out, plan);
  return out.str();
}

nlohmann::ordered_json json_of(const Plan& plan) {
  nlohmann::ordered_json json{{"ranks", plan.fabric.ranks()},
                              {"nodes", plan.fabric.nodes},
                              {"device", plan.device},
                              {"strategy", plan.room.strategy},
                              {"rows_per_update", plan.rows_of_update},
                              {"updates", plan.updates},
                              {"updates_per_epoch", plan.updates_of_epoch},
                              {"tokens_at_once", plan.run.tokens},
                              {"room_bytes", plan.room.bytes}};
  const std::vector<Memory> all = of_strategies(plan);
  for (size_t i = 0; i < kStrategies.size(); ++i)
    json["memory_bytes"][std::string(kStrategies[i])] = json_of(all[i], plan);
  json["ways_to_fit"] = ways_to_fit(plan.run, plan.room);
  json["links"] = {{"within_a_node", json_of(plan.fabric.within)}, {"between_nodes", json_of(plan.fabric.between)}};
  if (!plan.update) {
    json["time_refused"] = plan.refusal;
    return json;
  }
  const PlannedUpdate& update = *plan.update;
  json["seconds"] = {{"update", update.seconds},
                     {"epoch", update.seconds * static_cast<double>(plan.updates_of_epoch)},
                     {"run", update.seconds * static_cast<double>(plan.updates)},
                     {"computing", update.computing},
                     {"waiting", update.waiting},
                     {"collectives", update.collective}};
  json["bytes_between_ranks"] = update.bytes;
  return json;
}

}  // namespace sft::planning
