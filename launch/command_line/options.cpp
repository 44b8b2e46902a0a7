#include "launch/command_line/options.h"

namespace sft {

CLI::App* add_command(CLI::App& app, const char* name, const char* summary, const char* examples) {
  CLI::App* command = app.add_subcommand(name, summary);
  command->footer(std::string("Examples:\n") + examples);
  return command;
}

void takes_config(CLI::App* command, Arguments& arguments, const std::string& what) {
  command
      ->add_option("CONFIG", arguments.target,
                   what +
                       "; any key of it can follow: optim.learning_rate=1e-4, or --learning_rate 1e-4 where the name "
                       "is in one section only")
      ->required()
      ->type_name("FILE");
  command->allow_extras();
}

void takes_checkpoint(CLI::App* command, Arguments& arguments) {
  command->add_option("--checkpoint", arguments.checkpoint, "best, last or a checkpoint directory")
      ->type_name("WHICH")
      ->capture_default_str();
}

}  // namespace sft
