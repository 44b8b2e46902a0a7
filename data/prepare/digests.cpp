#include "data/prepare/digests.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/hash/sha256.h"

namespace sft {

using nlohmann::json;

StringList digests_of(const std::vector<StringList>& paths, const Peers& peers) {
  StringList files;
  for (const StringList& of_path : paths) files.insert(files.end(), of_path.begin(), of_path.end());
  json mine = json::array();
  peers.together([&] {
    const auto [first, end] = range_of(static_cast<int64_t>(files.size()), peers.self);
    for (int64_t i = first; i < end; ++i) mine.push_back(sha256_of_file(files[static_cast<size_t>(i)]));
  });
  StringList of_files;
  for (const std::string& part : peers.gather(mine.dump()))
    for (const json& digest : json::parse(part)) of_files.push_back(digest);

  StringList digests;
  auto next = of_files.begin();
  for (const StringList& of_path : paths) {
    const StringList its(next, next + std::ssize(of_path));
    next += std::ssize(of_path);
    digests.push_back(its.size() == 1 ? its.front() : sha256(join(its, "\n")));
  }
  return digests;
}

}  // namespace sft
