#include "launch/choose_device.h"

#include <algorithm>
#include <map>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

const char* const kWayOut = "; device = \"cpu\" computes on CPU cores";

std::string rank_named(const std::vector<SeenDevices>& ranks, size_t rank) {
  return concat("rank ", rank, " on ", ranks[rank].host);
}

// Launchers show a rank all devices of its host, of which it takes the one of its own number, or one alone.
int choice_of(const SeenDevices& seen, size_t rank, const std::vector<SeenDevices>& ranks) {
  const auto of_host = std::ranges::count(ranks, seen.host, &SeenDevices::host);
  const bool all_see_the_same = std::ranges::all_of(
      ranks, [&](const SeenDevices& other) { return other.host != seen.host || other.uuids == seen.uuids; });
  const auto visible = static_cast<int64_t>(seen.uuids.size());
  if (all_see_the_same && visible < of_host)
    throw DeviceError(concat(rank_named(ranks, rank), ": ", of_host, " ranks see the same ", visible,
                             visible == 1 ? " GPU" : " GPUs", "; ask for a GPU a rank, or start fewer ranks a host",
                             kWayOut));
  return static_cast<int>(all_see_the_same ? seen.local_rank : seen.local_rank % visible);
}

void refuse_shared(const std::vector<SeenDevices>& ranks, const std::vector<int>& chosen) {
  std::map<std::string, size_t> owner;
  for (size_t rank = 0; rank < ranks.size(); ++rank) {
    const std::string& uuid = ranks[rank].uuids[static_cast<size_t>(chosen[rank])];
    const auto [other, is_first] = owner.emplace(uuid, rank);
    if (!is_first)
      throw DeviceError(concat(rank_named(ranks, rank), " and ", rank_named(ranks, other->second),
                               " would share the GPU ", uuid, "; ask for a GPU a rank, or start fewer ranks a host",
                               kWayOut));
  }
}

}  // namespace

std::vector<int> choose_devices(const std::string& wanted, const std::vector<SeenDevices>& ranks) {
  if (wanted == "cpu") return {};
  const auto sees_one = [](const SeenDevices& seen) { return !seen.uuids.empty(); };
  const auto without = std::ranges::find_if_not(ranks, sees_one);
  if (without != ranks.end()) {
    if (wanted == "auto" && std::ranges::none_of(ranks, sees_one)) return {};
    const auto rank = static_cast<size_t>(without - ranks.begin());
    const auto others = std::ranges::count_if(ranks, sees_one);
    throw DeviceError(concat(rank_named(ranks, rank), " can use no GPU: ", without->reason,
                             others > 0 ? concat("; ", others, " of ", ranks.size(), " ranks can") : "", kWayOut));
  }
  std::vector<int> chosen;
  for (size_t rank = 0; rank < ranks.size(); ++rank) chosen.push_back(choice_of(ranks[rank], rank, ranks));
  refuse_shared(ranks, chosen);
  return chosen;
}

}  // namespace sft
