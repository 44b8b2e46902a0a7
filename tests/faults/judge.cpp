#include "faults/judge.h"

#include <filesystem>
#include <set>

#include "base/errors.h"
#include "base/text.h"
#include "comm/make_communicator.h"
#include "trainer/checkpoint/sample_training.h"

namespace sft {

namespace fs = std::filesystem;

std::vector<std::string> Judge::violations(const std::vector<int64_t>& reported, int64_t least,
                                           const std::string& when) {
  when_ = when;
  std::set<int64_t> whole = {0};
  for (const std::string& name : names())
    if (name.starts_with("checkpoint-")) whole.insert(load(name));
  for (const int64_t step : reported)
    if (!whole.contains(step)) blame(concat("checkpoint-", step, " was reported and is gone"));
  const int64_t newest = *whole.rbegin();
  if (newest < least) blame("what was there before is gone");
  if (resumed() != newest) blame(concat("a resume does not find checkpoint-", newest));
  for (const std::string& name : names())
    if (!name.starts_with("checkpoint-") && name != "latest" && name != "lost+found")
      blame(concat("left over: ", name));
  return violations_;
}

void Judge::blame(const std::string& what) { violations_.push_back(concat(when_, ": ", what)); }

std::vector<std::string> Judge::names() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(run_)) names.push_back(entry.path().filename().string());
  return names;
}

// Its step, if it opens and holds what the training held then; 0 with blame.
int64_t Judge::load(const std::string& name) {
  int64_t step = 0;
  try {
    spawn_ranks(1, [&](Communicator& control) {
      Checkpoints checkpoints(run_, {}, control, real_files());
      const FoundCheckpoint found = checkpoints.open(concat(run_, "/", name));
      SampleTraining training(found.step);
      const auto expected = training.bytes();
      training.clear();
      checkpoints.load(found, training.content().model, training.content().optimizer);
      if (training.bytes() == expected && name == concat("checkpoint-", found.step))
        step = found.step;
      else
        blame(concat(name, " holds other bytes"));
    });
  } catch (const Error& error) {
    blame(concat(name, " does not load: ", error.what()));
  }
  return step;
}

int64_t Judge::resumed() {
  int64_t step = 0;
  try {
    spawn_ranks(1, [&](Communicator& control) {
      if (const auto found = Checkpoints(run_, {}, control, real_files()).find_latest()) step = found->step;
    });
  } catch (const Error& error) {
    blame(error.what());
  }
  return step;
}

}  // namespace sft
