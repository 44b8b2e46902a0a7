// What a key of the config means; the page of all keys. Help of commands is the command line's own.
#include <iostream>
#include <vector>

#include "base/key_reference.h"
#include "base/settings.h"
#include "base/text.h"
#include "launch/commands/commands.h"
#include "trainer/config/other_trainers.h"
#include "trainer/config/run_config.h"

namespace sft {
namespace {

const char* const kPageBegins =
    R"(# Every key of a config

`sft-dist help keys` prints this page, `sft-dist help optim.learning_rate` one key of it, `sft-dist init` a config to start from.
A key stands below its section's heading in the file, or on the command line after it, with its section or without where the name is in one section only: `optim.learning_rate=1e-4`, `--learning_rate 1e-4`.
`include = "base.toml"`, or a list, takes the values of other files, relative to the file that includes them; what stands in the including file wins.
Other paths are relative to the directory in which the program starts; `~` and `${VARIABLE}` in them are expanded. A sweep's own table is explained by `sft-dist sweep --help`.
)";

// The fields that `name` means: with its section one at most.
BoundFields called(const BoundFields& fields, const std::string& name) {
  const size_t dot = name.rfind('.');
  BoundFields found;
  for (const BoundField& field : fields)
    if (is_called(field, name) ||
        (dot != std::string::npos && field.section == name.substr(0, dot) && is_called(field, name.substr(dot + 1))))
      found.push_back(field);
  return found;
}

BoundFields in_section(const BoundFields& fields, const std::string& name) {
  BoundFields found;
  for (const BoundField& field : fields)
    if (field.section == name) found.push_back(field);
  return found;
}

std::string explained(const BoundFields& fields, const std::string& name) {
  BoundFields found = called(fields, name);
  if (found.empty()) found = in_section(fields, name);
  if (found.empty()) {
    if (const std::string_view here = said_here(name); !here.empty())
      return concat(name, " is a name of other trainers; here: ", here, "\n");
    std::vector<std::string> names;
    for (const BoundField& field : fields) names.emplace_back(field.info.name);
    throw Error(ExitCode::usage,
                concat("help ", in_quotes(name), ": no such command, key or section", did_you_mean(name, names),
                       "; `sft-dist help keys` prints all keys"),
                Reach::everywhere);
  }
  std::string text;
  for (const BoundField& field : found) text += key_text(field);
  return text;
}

}  // namespace

ExitCode help(const Arguments& arguments, Job& job) {
  RunConfig config;
  const BoundFields fields = bind_fields(config);
  const std::string text =
      arguments.target == "keys" ? kPageBegins + keys_page(fields) : explained(fields, arguments.target);
  if (job.control().rank() == 0) std::cout << text << std::flush;
  return ExitCode::done;
}

}  // namespace sft
