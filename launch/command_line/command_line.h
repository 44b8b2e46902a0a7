// What the user typed, parsed and checked: the one place that knows options and their help.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sft {

// Of all commands together; each reads what it declares in this folder.
struct Arguments {
  std::string command;                 // "train", "predict", …
  std::string target;                  // CONFIG, RUN_DIR, MODEL_DIR, FILE or TASK
  std::vector<std::string> overrides;  // "key.path=value", "--key", "value"
  std::vector<std::string> inputs;
  std::string output;
  std::map<std::string, std::string> forms;  // of predictions: option to file, "" where it was not given
  std::string system;
  std::string checkpoint = "best";
  std::string split;
  std::string file;
  std::vector<std::string> text_columns;
  std::string text_pair_column;
  std::string image_column;
  std::vector<std::string> keep;  // columns of the input
  int64_t top_k = 0;
  bool logits = false;
  std::string explain;  // "": no explanations
  int64_t folds = 0;    // 0: the command's own
  int64_t index = -1;
  int64_t batch_size = 64;
  int64_t show = 0;
  double min_rate = 1e-7, max_rate = 1.0;
  int64_t steps = 100;
  int64_t gpus = 0, nodes = 0;     // of the world that is planned; 0: as this job
  std::string kind;                // of its GPUs; "": this machine's device
  std::string latency, bandwidth;  // of its links, with their units
  bool json = false;
  bool dry_run = false, yes = false, verify = false, list = false, slurm = false;
  bool quiet = false, verbose = false;
};

// Help and version are printed here and end with `exit_code` 0; a wrong command line is told and ends with 2.
struct Parsed {
  Arguments arguments;
  bool ends = false;
  int exit_code = 0;
};
Parsed parse_command_line(int argc, char** argv);

}  // namespace sft
