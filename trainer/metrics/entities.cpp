#include "trainer/metrics/entities.h"

#include <algorithm>
#include <cassert>
#include <set>
#include <string_view>

namespace sft {
namespace {

// "B-PER" → "PER"; "B" alone has the type "_", as in seqeval.
std::string type_of(std::string_view name) {
  name.remove_prefix(std::min<size_t>(name.size(), 1));
  if (const size_t dash = name.find('-'); dash != name.npos) name.remove_prefix(dash + 1);
  return name.empty() ? "_" : std::string(name);
}

bool is_one_of(char prefix, std::string_view prefixes) { return prefixes.find(prefix) != prefixes.npos; }

bool is_outside(char prefix) { return prefix == 'O' || prefix == '.'; }

ClassScores scores_of(double right, double found, double truth) {
  ClassScores scores;
  scores.precision = found == 0 ? 0.0 : right / found;
  scores.recall = truth == 0 ? 0.0 : right / truth;
  scores.f1 = found + truth == 0 ? 0.0 : 2 * right / (found + truth);
  scores.support = truth;
  return scores;
}

// Σ weight · scores ÷ Σ weight.
class Mean {
 public:
  void add(const ClassScores& scores, double weight) {
    sum_.precision += weight * scores.precision;
    sum_.recall += weight * scores.recall;
    sum_.f1 += weight * scores.f1;
    sum_.support += scores.support;
    weight_ += weight;
  }
  ClassScores value() const {
    const double weight = weight_ == 0 ? 1 : weight_;
    return {sum_.precision / weight, sum_.recall / weight, sum_.f1 / weight, sum_.support};
  }

 private:
  ClassScores sum_;
  double weight_ = 0;
};

}  // namespace

Tagging::Tagging(const std::vector<std::string>& names) {
  std::set<std::string> types;
  for (const std::string& name : names) {
    if (name.empty() || is_outside(name.front())) continue;
    types.insert(type_of(name));
    const bool spelt = name.size() == 1 || name[1] == '-';
    marks_entities_ = marks_entities_ || (spelt && is_one_of(name.front(), "BIES"));
  }
  types_.assign(types.begin(), types.end());
  for (const std::string& name : names) {
    const char prefix = name.empty() ? 'O' : name.front();
    const auto place = std::lower_bound(types_.begin(), types_.end(), type_of(name)) - types_.begin();
    tags_.push_back(is_outside(prefix) ? Tag{prefix, -1} : Tag{prefix, static_cast<int64_t>(place)});
  }
}

std::vector<Entity> Tagging::entities(std::span<const int64_t> tags) const {
  std::vector<Entity> out;
  Tag before;
  int64_t first = 0;
  for (size_t i = 0; i <= tags.size(); ++i) {
    const Tag now = i < tags.size() ? tag(tags[i]) : Tag{};
    const bool other_type = before.type != now.type;
    const bool ends = is_one_of(before.prefix, "ES") ||
                      (is_one_of(before.prefix, "BI") && is_one_of(now.prefix, "BSO")) ||
                      (!is_outside(before.prefix) && other_type);
    const bool begins = is_one_of(now.prefix, "BS") ||
                        (is_one_of(before.prefix, "ESO") && is_one_of(now.prefix, "EI")) ||
                        (!is_outside(now.prefix) && other_type);
    if (ends) out.push_back({before.type, first, static_cast<int64_t>(i)});
    if (begins) first = static_cast<int64_t>(i);
    before = now;
  }
  return out;
}

std::vector<Entity> Tagging::strict_entities(std::span<const int64_t> tags) const {
  std::vector<Entity> out;
  for (size_t i = 0; i < tags.size();) {
    const Tag start = tag(tags[i++]);
    if (start.prefix != 'B') continue;
    Entity entity{start.type, static_cast<int64_t>(i) - 1, 0};
    while (i < tags.size() && tag(tags[i]).prefix == 'I' && tag(tags[i]).type == start.type) ++i;
    entity.end = static_cast<int64_t>(i);
    out.push_back(entity);
  }
  return out;
}

void EntityCounts::add(std::span<double> counts, const std::vector<Entity>& truth, const std::vector<Entity>& found) {
  const auto at = [&](const Entity& entity, size_t what) -> double& {
    return counts[static_cast<size_t>(entity.type) * kPerType + what];
  };
  for (const Entity& entity : truth) at(entity, 2) += 1;
  for (const Entity& entity : found) {
    at(entity, 1) += 1;
    if (std::find(truth.begin(), truth.end(), entity) != truth.end()) at(entity, 0) += 1;
  }
}

ClassScores EntityScores::of_type(int64_t type) const {
  const double* counts = counts_.data() + static_cast<size_t>(type) * EntityCounts::kPerType;
  return scores_of(counts[0], counts[1], counts[2]);
}

ClassScores EntityScores::micro() const {
  double sums[EntityCounts::kPerType] = {};
  for (size_t i = 0; i < counts_.size(); ++i) sums[i % EntityCounts::kPerType] += counts_[i];
  return scores_of(sums[0], sums[1], sums[2]);
}

ClassScores EntityScores::macro() const {
  Mean mean;
  for (size_t type = 0; type < num_types(); ++type) {
    const double* counts = counts_.data() + type * EntityCounts::kPerType;
    if (counts[1] + counts[2] > 0) mean.add(of_type(static_cast<int64_t>(type)), 1);
  }
  return mean.value();
}

ClassScores EntityScores::weighted() const {
  Mean mean;
  for (size_t type = 0; type < num_types(); ++type) {
    const ClassScores scores = of_type(static_cast<int64_t>(type));
    mean.add(scores, scores.support);
  }
  return mean.value();
}

}  // namespace sft
