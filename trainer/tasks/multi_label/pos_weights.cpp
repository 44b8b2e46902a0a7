#include "trainer/tasks/multi_label/pos_weights.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

std::vector<double> pos_weights(const WordOrNumbers& wanted, const std::vector<std::string>& names,
                                const std::vector<int64_t>& counts, int64_t num_rows) {
  std::vector<double> weights(names.size(), 1.0);
  if (wanted.word == "balanced") {
    assert(counts.size() == names.size());
    for (size_t k = 0; k < counts.size(); ++k)
      if (counts[k] > 0) weights[k] = static_cast<double>(num_rows - counts[k]) / static_cast<double>(counts[k]);
    return weights;
  }
  for (const auto& [name, weight] : wanted.numbers) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw ConfigError(concat("train.pos_weight: ", in_quotes(name), " is no label", did_you_mean(name, names)));
    if (!(weight >= 0) || !std::isfinite(weight))
      throw ConfigError(concat("train.pos_weight: the weight of ", in_quotes(name), " is ", weight,
                               "; wanted a finite number, 0 or more"));
    weights[static_cast<size_t>(found - names.begin())] = weight;
  }
  return weights;
}

}  // namespace sft
