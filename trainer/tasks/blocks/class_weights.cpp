#include "trainer/tasks/blocks/class_weights.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

std::vector<double> balanced(const std::vector<int64_t>& counts) {
  const auto rows = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
  const auto occurs = [](int64_t count) { return count > 0; };
  const auto occurring = static_cast<double>(std::count_if(counts.begin(), counts.end(), occurs));
  std::vector<double> weights;
  for (const int64_t count : counts)
    weights.push_back(occurs(count) ? rows / (occurring * static_cast<double>(count)) : 1.0);
  return weights;
}

}  // namespace

std::vector<double> class_weights(const WordOrNumbers& wanted, const std::vector<std::string>& names,
                                  const std::vector<int64_t>& counts) {
  if (wanted.word == "balanced") {
    assert(counts.size() == names.size());
    return balanced(counts);
  }
  std::vector<double> weights(names.size(), 1.0);
  if (wanted.word == "none") return weights;
  for (const auto& [name, weight] : wanted.numbers) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw ConfigError(concat("train.class_weights: ", in_quotes(name), " is no label", did_you_mean(name, names)));
    if (!(weight >= 0) || !std::isfinite(weight))
      throw ConfigError(concat("train.class_weights: the weight of ", in_quotes(name), " is ", weight,
                               "; wanted a finite number, 0 or more"));
    weights[static_cast<size_t>(found - names.begin())] = weight;
  }
  return weights;
}

}  // namespace sft
