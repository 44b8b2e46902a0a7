// What was promised of a run directory, whatever struck it while SampleTraining was saved there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sft {

class Judge {
 public:
  explicit Judge(const std::string& run) : run_(run) {}

  // Of a directory as a fault left it: what has a final name is whole, the steps that were reported are there (pruned
  // ones are not to be among them), nothing older than `least` is the newest, and a resume takes the newest and leaves
  // nothing else behind. Each begins with `when`.
  std::vector<std::string> violations(const std::vector<int64_t>& reported, int64_t least, const std::string& when);

 private:
  void blame(const std::string& what);
  std::vector<std::string> names() const;
  int64_t load(const std::string& name);
  int64_t resumed();

  std::string run_, when_;
  std::vector<std::string> violations_;
};

}  // namespace sft
