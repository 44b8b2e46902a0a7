#include "comm/agreement.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "base/errors.h"
#include "base/process.h"
#include "base/random.h"
#include "base/text.h"
#include "comm/agree.h"

namespace sft {
namespace {

constexpr size_t kMostShown = 100;  // bytes of a value
constexpr size_t kMostRows = 30;

nlohmann::json to_json(const Facts& facts) { return facts; }

std::string text_of(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The greatest of a number and of its complement, which is the complement of the least, travel in one call.
bool is_same_everywhere(Communicator& world, const std::string& text) {
  std::array<int64_t, 4> numbers{};
  for (uint64_t half = 0; half < 2; ++half) {
    const auto digest = static_cast<int64_t>(derive_key(half, text));
    numbers[2 * half] = digest;
    numbers[2 * half + 1] = ~digest;
  }
  world.all_reduce(Buffer::of(std::span(numbers)), Reduction::max);
  return numbers[0] == ~numbers[1] && numbers[2] == ~numbers[3];
}

// "0-2, 5".
std::string ranges(const std::vector<int>& ranks) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < ranks.size();) {
    size_t end = i + 1;
    while (end < ranks.size() && ranks[end] == ranks[end - 1] + 1) ++end;
    parts.push_back(end - i == 1 ? std::to_string(ranks[i]) : concat(ranks[i], "-", ranks[end - 1]));
    i = end;
  }
  return join(parts, ", ");
}

std::string places(const std::vector<int>& ranks, const std::vector<std::string>& hosts) {
  constexpr size_t kMostHosts = 4;
  std::set<std::string> all;
  for (const int rank : ranks) all.insert(hosts[static_cast<size_t>(rank)]);
  std::vector<std::string> named(all.begin(),
                                 std::next(all.begin(), static_cast<long>(std::min(all.size(), kMostHosts))));
  if (all.size() > kMostHosts) named.push_back(concat(all.size() - kMostHosts, " more"));
  return concat(ranks.size() == 1 ? "rank " : "ranks ", ranges(ranks), all.size() == 1 ? " (host " : " (hosts ",
                join(named, ", "), ")");
}

// Where long values begin alike, what they begin with is left out.
size_t length_left_out(const std::map<std::string, std::vector<int>>& ranks_of) {
  const std::string& first = ranks_of.begin()->first;
  const std::string& last = ranks_of.rbegin()->first;  // the map is in order: all begin as these two do
  const auto differ = std::ranges::mismatch(first, last);
  const auto alike = static_cast<size_t>(differ.in1 - first.begin());
  const bool is_long = std::max(first.size(), last.size()) > kMostShown;
  return is_long && alike > kMostShown / 4 ? alike - kMostShown / 4 : 0;
}

std::string row(const std::string& name, const std::map<std::string, std::vector<int>>& ranks_of,
                const std::vector<std::string>& hosts) {
  std::vector<const std::pair<const std::string, std::vector<int>>*> values;
  for (const auto& value : ranks_of) values.push_back(&value);
  // The most usual first, of equally usual ones that of the lowest rank.
  std::ranges::sort(values, {},
                    [](const auto* value) { return std::pair(-std::ssize(value->second), value->second.front()); });
  const size_t left_out = length_left_out(ranks_of);
  std::vector<std::string> parts;
  for (const auto* value : values) {
    const bool is_cut = value->first.size() > left_out + kMostShown;
    parts.push_back(concat(left_out > 0 ? "…" : "", escaped(value->first.substr(left_out, kMostShown)),
                           is_cut ? "…" : "", " on ", places(value->second, hosts)));
  }
  return concat("\n  ", name, ": ", join(parts, "; "));
}

}  // namespace

std::string disagreements(const std::vector<Facts>& of_ranks, const std::vector<std::string>& hosts) {
  std::set<std::string> names;
  for (const Facts& facts : of_ranks)
    for (const auto& [name, value] : facts) names.insert(name);
  std::vector<std::string> rows;
  for (const std::string& name : names) {
    std::map<std::string, std::vector<int>> ranks_of;
    for (size_t rank = 0; rank < of_ranks.size(); ++rank) {
      const auto found = of_ranks[rank].find(name);
      ranks_of[found == of_ranks[rank].end() ? "none" : found->second].push_back(static_cast<int>(rank));
    }
    if (ranks_of.size() > 1) rows.push_back(row(name, ranks_of, hosts));
  }
  if (rows.size() > kMostRows) {
    const size_t more = rows.size() - kMostRows;
    rows.resize(kMostRows);
    rows.push_back(concat("\n  … and ", more, " more"));
  }
  return join(rows, "");
}

void require_agreement(Communicator& world, const std::function<Facts()>& facts) {
  if (world.size() == 1) return;
  Facts mine;
  together(world, [&] { mine = facts(); });
  if (is_same_everywhere(world, text_of(to_json(mine)))) return;
  std::vector<Facts> of_ranks;
  std::vector<std::string> hosts;
  for (const std::string& text : gather_all(world, text_of({host_name(), to_json(mine)}))) {
    const auto given = nlohmann::json::parse(text);
    hosts.push_back(given[0]);
    of_ranks.push_back(given[1].get<Facts>());
  }
  throw Error(ExitCode::config,
              concat("the ranks of this job do not agree, and nothing was begun:", disagreements(of_ranks, hosts),
                     "\nEvery rank needs the same config, files, program and environment"),
              Reach::everywhere);
}

}  // namespace sft
