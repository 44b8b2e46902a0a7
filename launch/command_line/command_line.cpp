#include "launch/command_line/command_line.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "base/text.h"
#include "launch/command_line/options.h"
#include "launch/version.h"

namespace sft {
namespace {

const char* const kIntroduction =
    R"(Distributed supervised fine-tuning: raw rows and a Hugging Face model directory in, a model that
transformers loads out. Every command runs alone, or on many ranks under mpirun or srun.

  sft-dist init > run.toml                     a commented config to fill in
  sft-dist run.toml --dry-run                  is everything there, and how many updates will it be?
  mpirun -np 2 sft-dist run.toml               train on two ranks: the result of one, sooner
  sft-dist run.toml optim.learning_rate=1e-4   any key of the config can be given here
)";

const char* const kAfterCommands =
    R"(`sft-dist COMMAND --help` has the options of each and examples. Every command takes -q, for warnings and
errors alone, and -v, for more than is usual.

Exit codes: 0 done, 2 command line, 69 device or communication, 70 internal, 75 stopped with a checkpoint: start it
again, 76 a rank hung, 77 run directory in use, 78 config, 79 bad content of a file, 80 loss not finite, 81 cannot
write, 82 out of memory, 93 three starts that got nowhere.)";

// Of every command.
void takes_talk(CLI::App* command, Arguments& arguments) {
  auto* quiet = command->add_flag("-q,--quiet", arguments.quiet, "tell warnings and errors alone, no progress");
  command
      ->add_flag("-v,--verbose", arguments.verbose,
                 "tell also where the ranks are, how long each phase took, and what was removed")
      ->excludes(quiet);
}

// In the order that the help lists them in.
void declare(CLI::App& app, Arguments& a) {
  for (const auto declare_one :
       {declare_train, declare_evaluate, declare_predict, declare_chat, declare_prepare, declare_export, declare_sweep,
        declare_report, declare_clean, declare_noise, declare_find_lr, declare_inspect, declare_check, declare_plan,
        declare_doctor, declare_init, declare_help})
    declare_one(app, a);
  for (CLI::App* command : app.get_subcommands({})) takes_talk(command, a);
}

bool is_command(const CLI::App& app, const std::string& word) {
  return std::ranges::any_of(app.get_subcommands({}), [&](const CLI::App* each) { return each->get_name() == word; });
}

bool is_about_talk(std::string_view word) {
  return word == "-q" || word == "--quiet" || word == "-v" || word == "--verbose";
}

// `sft-dist run.toml …` means `sft-dist train run.toml …`, `sft-dist help train` means `sft-dist train --help`, and
// `sft-dist -q train …` means `sft-dist train … -q`.
std::vector<std::string> with_command(int argc, char** argv, const CLI::App& app) {
  std::vector<std::string> words(argv + 1, argv + argc);
  std::ranges::rotate(words, std::ranges::find_if_not(words, is_about_talk));
  if (words.empty() || words[0].starts_with("-")) return words;
  if (words[0] == "help") std::erase_if(words, is_about_talk);
  if (words.size() == 1 && words[0] == "help") return {"--help"};
  if (words.size() == 2 && words[0] == "help" && is_command(app, words[1])) return {words[1], "--help"};
  if (is_command(app, words[0])) return words;
  if (words[0].ends_with(".toml") || std::filesystem::exists(words[0])) words.insert(words.begin(), "train");
  return words;
}

Parsed ended(int code) { return {.arguments = {}, .ends = true, .exit_code = code}; }

}  // namespace

Parsed parse_command_line(int argc, char** argv) {
  Parsed parsed;
  CLI::App app(kIntroduction, "sft-dist");
  app.footer(kAfterCommands);
  app.set_version_flag("--version", version_text());
  app.set_help_all_flag("--help-all", "help of every command");
  app.require_subcommand(0, 1);
  app.failure_message(CLI::FailureMessage::simple);
  declare(app, parsed.arguments);
  std::vector<std::string> words = with_command(argc, argv, app);
  if (!words.empty() && !words[0].starts_with("-")) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
    if (std::ranges::find(names, words[0]) == names.end()) {
      std::cerr << "sft-dist: no command or config file " << in_quotes(words[0]) << did_you_mean(words[0], names)
                << "; commands: " << join(names, ", ") << '\n';
      return ended(2);
    }
  }
  std::reverse(words.begin(), words.end());  // CLI11 takes the last word first
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return ended(app.exit(error, std::cout, std::cerr) == 0 ? 0 : 2);
  }
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) {
    std::cout << app.help();
    return ended(argc > 1 ? 2 : 0);
  }
  parsed.arguments.command = chosen.front()->get_name();
  parsed.arguments.overrides = chosen.front()->remaining();
  return parsed;
}

}  // namespace sft
