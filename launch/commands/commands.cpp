#include "launch/commands/commands.h"

#include <array>
#include <cassert>
#include <utility>

namespace sft {

Command find_command(const std::string& name) {
  static const std::array<std::pair<const char*, Command>, 17> kCommands{
      {{"train", train},
       {"evaluate", evaluate},
       {"predict", predict},
       {"chat", chat},
       {"prepare", [](const Arguments& a, Job& j) { return prepare(a, j); }},
       {"export", export_run},
       {"sweep", sweep},
       {"report", report},
       {"clean", clean},
       {"noise", noise},
       {"find-lr", find_lr},
       {"inspect", inspect},
       {"check", check},
       {"plan", plan},
       {"doctor", doctor},
       {"init", init},
       {"help", help}}};
  for (const auto& [known, command] : kCommands)
    if (name == known) return command;
  assert(false && "the command line knows only these");
  return {};
}

}  // namespace sft
