// Which constants a prediction stands on, or why there is none.
#pragma once

#include <optional>
#include <string>

#include "trainer/planning/links.h"

namespace sft::planning {

struct MeasuredLink {
  Link link;
  int ranks = 0, nodes = 1;  // that summed
};

struct KnownLinks {
  Fabric fabric;
  std::string told;     // where the constants come from, and what is left out
  std::string refusal;  // not empty: what would have to be measured
};

// `given` and `measured` describe the links between nodes where there are several, else those within one; what a job
// measured on one node serves for the nodes of the plan too.
KnownLinks known_links(int nodes, int per_node, const std::optional<Link>& given,
                       const std::optional<MeasuredLink>& measured);

}  // namespace sft::planning
