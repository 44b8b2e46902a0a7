// All that `sft-dist plan` tells, as a table and as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "trainer/planning/links.h"
#include "trainer/planning/memory.h"
#include "trainer/planning/update.h"

namespace sft::planning {

struct Plan {
  Fabric fabric;
  std::string device;  // "h100", "cpu, 2 threads"
  std::string links;   // where the constants come from, and what is left out
  Weighed run;
  Room room;
  int64_t rows_of_update = 0;  // over all ranks
  int64_t updates = 0, updates_of_epoch = 0;
  std::optional<PlannedUpdate> update;  // none: `refusal` says why
  std::string refusal;
};

std::string table_of(const Plan& plan);
nlohmann::ordered_json json_of(const Plan& plan);

}  // namespace sft::planning
