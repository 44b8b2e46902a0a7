// Saves checkpoints of a small training on ranks that are threads, for a test that ends this process, or its disk, at a
// moment of its own; and judges what was left.
//
//   checkpoints save RUN WORLD FIRST LAST [never_syncs]   says "saved STEP" for each; LAST = 0: without end
//   checkpoints judge RUN LEAST [REPORTED...]             prints violations, and exits with 1 where there are some
#include <cstdlib>
#include <iostream>
#include <string>

#include "base/errors.h"
#include "base/text.h"
#include "comm/make_communicator.h"
#include "faults/judge.h"
#include "faults/unsafe_files.h"
#include "trainer/checkpoint/sample_training.h"

namespace sft {
namespace {

void save(const std::string& run, int world, int64_t first, int64_t last, FileOps& files) {
  SaveConfig config;
  config.save_total_limit = 2;
  spawn_ranks(world, [&](Communicator& control) {
    Checkpoints checkpoints(run, config, control, files, kSmallCuts);
    checkpoints.find_latest();  // goes on with the run
    for (int64_t step = first; last == 0 || step <= last; ++step) {
      if (checkpoints.save(SampleTraining(step).content()) && control.rank() == 0)
        std::cout << "saved " << step << std::endl;
      checkpoints.prune("");
    }
  });
}

int judge(const std::string& run, int64_t least, const std::vector<int64_t>& reported) {
  const auto violations = Judge(run).violations(reported, least, run);
  std::cout << join(violations, "\n");
  return violations.empty() ? 0 : 1;
}

int run(const std::vector<std::string>& words) {
  if (words.size() >= 5 && words[0] == "save") {
    NeverSyncs careless(real_files());
    const bool syncs = words.size() == 5;
    save(words[1], std::stoi(words[2]), std::stoll(words[3]), std::stoll(words[4]),
         syncs ? real_files() : static_cast<FileOps&>(careless));
    return 0;
  }
  if (words.size() < 3 || words[0] != "judge") return 2;
  std::vector<int64_t> reported;
  for (size_t i = 3; i < words.size(); ++i) reported.push_back(std::stoll(words[i]));
  return judge(words[1], std::stoll(words[2]), reported);
}

}  // namespace
}  // namespace sft

int main(int count, char** words) { return sft::run({words + 1, words + count}); }
