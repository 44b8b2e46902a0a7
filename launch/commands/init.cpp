// A commented starter config for one's own rows.
#include <algorithm>
#include <iostream>
#include <vector>

#include "base/text.h"
#include "launch/commands/commands.h"
#include "launch/starters/starters.h"
#include "trainer/tasks/tasks.h"

namespace sft {

ExitCode init(const Arguments& arguments, Job& job) {
  const std::string wanted = arguments.target.empty() ? tasks().front().name : arguments.target;
  const auto found = std::ranges::find(starters(), wanted, &Starter::name);
  if (found == starters().end()) {
    std::vector<std::string> names;
    for (const Starter& starter : starters()) names.emplace_back(starter.name);
    throw Error(ExitCode::usage,
                concat("init ", in_quotes(wanted), ": no such starter", did_you_mean(wanted, names),
                       "; there are: ", join(names, ", ")),
                Reach::everywhere);
  }
  if (job.control().rank() == 0) std::cout << found->text << std::flush;
  return ExitCode::done;
}

}  // namespace sft
