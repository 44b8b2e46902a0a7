#include "trainer/planning/known_links.h"

#include "base/text.h"
#include "trainer/planning/units.h"

namespace sft::planning {
namespace {

std::string text_of(const Link& link) {
  return concat("latency ", time_text(link.latency), ", bandwidth ", rate_text(link.bandwidth));
}

std::string text_of(const MeasuredLink& measured) {
  return concat(text_of(measured.link), ", fitted to sums of ", measured.ranks, " ranks here");
}

}  // namespace

KnownLinks known_links(int nodes, int per_node, const std::optional<Link>& given,
                       const std::optional<MeasuredLink>& measured) {
  KnownLinks known{.fabric = {.nodes = nodes, .per_node = per_node, .within = {}, .between = {}}, .told = {}, .refusal = {}};
  if (nodes * per_node == 1) {
    known.told = "none: one rank alone";
    return known;
  }
  const bool over_nodes = nodes > 1;
  std::optional<Link>& slowest = over_nodes ? known.fabric.between : known.fabric.within;
  const std::string where = over_nodes ? "between nodes " : "";
  if (given) {
    slowest = given;
    known.told = concat(where, text_of(*given), ", as given");
  } else if (measured && (measured->nodes > 1) == over_nodes) {
    slowest = measured->link;
    known.told = concat(where, text_of(*measured));
  } else {
    known.refusal = concat("nothing is known of the links ", over_nodes ? "between nodes" : "between ranks",
                           "; start `sft-dist doctor` there on ", over_nodes ? "2 nodes" : "2 ranks",
                           ", which times sums, and give what it tells as --latency and --bandwidth");
    return known;
  }
  if (!over_nodes || per_node == 1) return known;
  if (measured && measured->nodes == 1) {
    known.fabric.within = measured->link;
    known.told += concat("; within a node ", text_of(*measured));
  } else if (given) {
    known.told += "; sums within a node are left out, none was timed";
  }
  return known;
}

}  // namespace sft::planning
