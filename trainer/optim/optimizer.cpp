// The list of update rules.
#include "trainer/optim/optimizer.h"

#include "base/errors.h"
#include "base/text.h"
#include "trainer/optim/adamw.h"
#include "trainer/optim/sgd.h"

namespace sft {

std::unique_ptr<Optimizer> make_optimizer(const OptimConfig& config, const Arena& arena,
                                          std::vector<ParameterGroup> groups, std::vector<Slice> owned) {
  if (config.optim == "adamw") return make_adamw(config, arena, std::move(groups), std::move(owned));
  if (config.optim == "adam") return make_adam(config, arena, std::move(groups), std::move(owned));
  if (config.optim == "sgd") return make_sgd(config, arena, std::move(groups), std::move(owned));
  throw ConfigError(concat("optim.optim: wanted adamw, adam or sgd, found ", in_quotes(config.optim)));
}

}  // namespace sft
