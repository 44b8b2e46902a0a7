#include "data/prepare/rounds.h"

#include "base/stop_request.h"

namespace sft {

using nlohmann::json;

void in_rounds(int64_t count, const Peers& peers, const std::function<void(int64_t)>& body) {
  for (int64_t first = 0; first < count; first += peers.self.count) {
    const int64_t mine = first + peers.self.index;
    peers.together([&] {
      leave_if_asked();
      if (mine < count) body(mine);
    });
  }
}

std::map<int64_t, json> gather_in_rounds(int64_t count, const Peers& peers, const std::function<json(int64_t)>& body) {
  json mine = json::array();
  in_rounds(count, peers, [&](int64_t i) { mine.push_back({i, body(i)}); });
  std::map<int64_t, json> found;
  for (const std::string& part : peers.gather(mine.dump(-1, ' ', false, json::error_handler_t::replace)))
    for (json& entry : json::parse(part)) found.emplace(entry[0].get<int64_t>(), std::move(entry[1]));
  return found;
}

std::string from_root(const Peers& peers, const std::function<std::string()>& body) {
  std::string mine;
  peers.together([&] {
    if (peers.self.index == 0) mine = body();
  });
  return peers.gather(mine).front();
}

}  // namespace sft
