// Options of what tells of the machine and of the program itself.
#include "base/text.h"
#include "launch/command_line/options.h"
#include "launch/starters/starters.h"

namespace sft {

void declare_doctor(CLI::App& app, Arguments&) {
  add_command(app, "doctor",
              "What this machine offers: ranks, cores, memory, disk, versions, speed of arithmetic and of an "
              "all-reduce, latency and bandwidth of the links. Start it as a job would be started.",
              "  sft-dist doctor\n"
              "  mpirun -np 2 sft-dist doctor\n"
              "  srun -N 2 --ntasks-per-node 4 sft-dist doctor");
}

void declare_init(CLI::App& app, Arguments& a) {
  CLI::App* init = add_command(app, "init", "Print a commented config to fill in, for rows of one's own.",
                               "  sft-dist init > run.toml\n"
                               "  sft-dist init token_classification > run.toml");
  std::vector<std::string> learned;
  for (const Starter& starter : starters()) learned.emplace_back(starter.name);
  init->add_option("TASK", a.target, "what is learned: " + join(learned, ", "))
      ->type_name("TASK")
      ->default_str("text_classification");
}

void declare_help(CLI::App& app, Arguments& a) {
  CLI::App* help = add_command(app, "help", "What a key of the config means, or the options of a command.",
                               "  sft-dist help optim.learning_rate\n"
                               "  sft-dist help save              all keys of a section\n"
                               "  sft-dist help bf16              what another trainer's name is here\n"
                               "  sft-dist help keys              all keys, as a page in Markdown\n"
                               "  sft-dist help train             as train --help");
  help->add_option("NAME", a.target, "a key, a section, a command, or keys")->required()->type_name("NAME");
}

}  // namespace sft
