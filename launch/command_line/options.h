// What the files that declare options of commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "launch/command_line/command_line.h"

namespace sft {

CLI::App* add_command(CLI::App& app, const char* name, const char* summary, const char* examples);

// Commands that take a config also take overrides of its keys, which CLI11 hands back as they are.
void takes_config(CLI::App* command, Arguments& arguments, const std::string& what = "the run's TOML config");

void takes_checkpoint(CLI::App* command, Arguments& arguments);

// Each adds one command.
void declare_train(CLI::App& app, Arguments& a);
void declare_evaluate(CLI::App& app, Arguments& a);
void declare_predict(CLI::App& app, Arguments& a);
void declare_chat(CLI::App& app, Arguments& a);
void declare_prepare(CLI::App& app, Arguments& a);
void declare_export(CLI::App& app, Arguments& a);
void declare_sweep(CLI::App& app, Arguments& a);
void declare_report(CLI::App& app, Arguments& a);
void declare_clean(CLI::App& app, Arguments& a);
void declare_noise(CLI::App& app, Arguments& a);
void declare_find_lr(CLI::App& app, Arguments& a);
void declare_inspect(CLI::App& app, Arguments& a);
void declare_check(CLI::App& app, Arguments& a);
void declare_plan(CLI::App& app, Arguments& a);
void declare_doctor(CLI::App& app, Arguments& a);
void declare_init(CLI::App& app, Arguments& a);
void declare_help(CLI::App& app, Arguments& a);

}  // namespace sft
