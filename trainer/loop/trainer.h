// The training loop: one synchronized update after the other, with evaluation, checkpoints and the
// decision to stop between them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/stopwatch.h"
#include "comm/communicator.h"
#include "trainer/checkpoint/checkpoints.h"
#include "trainer/loop/cadence.h"
#include "trainer/loop/cutoffs.h"
#include "trainer/loop/evaluator.h"
#include "trainer/loop/margins.h"
#include "trainer/loop/queued_updates.h"
#include "trainer/loop/run_state.h"
#include "trainer/loop/selection.h"
#include "trainer/loop/telemetry.h"
#include "trainer/loop/update.h"
#include "trainer/model_files/tensor_refs.h"
#include "trainer/optim/penalty.h"

namespace sft {

// The parts that the loop works with. assemble builds them, and the trainer borrows them.
struct TrainerParts {
  Communicator& control;
  Update& update;
  Schedule& schedule;    // the update's, or another
  Evaluator* evaluator;  // null without validation data
  Checkpoints& checkpoints;
  Telemetry& telemetry;
  Margins* margins = nullptr;  // null: nobody records them
};

struct TrainerSettings {
  int64_t total_steps = 0;
  double max_grad_norm = 1.0;
  Penalty penalty;
  Cadence evaluations;
  Cadence saves;
  Selection selection;
  bool resumes = true;
  std::string resume_directory;  // "" : the newest valid checkpoint of the run
  bool save_only_model = false;
  double max_seconds = 0;                                  // 0: no limit
  std::function<bool()> stop_requested;                    // true after a signal; may differ between ranks
  nlohmann::json settings;                                 // settings that alter training, stored in checkpoints
  std::vector<std::pair<std::string, std::string>> files;  // files beside the weights in a checkpoint
};

enum class StopReason { finished, early_stopping, pruned, signal, max_time };
std::string name_of(StopReason reason);

class Trainer {
 public:
  Trainer(const TrainerParts& parts, TrainerSettings settings);
  Trainer(const Trainer&) = delete;  // its parts refer to one another

  // Resumes from the checkpoint that the settings name, if there is one. Every rank calls, before run(). ConfigError
  // where the checkpoint was trained with other settings, or has more updates than the settings ask for.
  void resume();

  // Pruned: the run has not reached the cutoff of its evaluations. Error with ExitCode::not_finite where the updates
  // are over and none of them changed a weight.
  StopReason run(const Cutoffs& cutoffs = {});

  // One update, without the evaluations and saves of run(); for a range test. Every rank calls.
  StepReport step();

  const RunState& state() const { return state_; }
  double epoch() const;
  // Whether the newest state stands in a durable checkpoint, or is none worth one. The same on every rank.
  bool is_saved() const { return saved_step_ == state_.step || state_.has_learned_nothing(); }
  // Seconds from exec to the end of this session's first update.
  double first_step_seconds() const { return first_step_seconds_; }

 private:
  bool finished(const Cutoffs& cutoffs);
  Share next_share();
  std::vector<at::Tensor> make_gradients(const Share& share, const Weights& total);
  at::Tensor add_penalty();
  void require_a_result() const;
  void evaluate();
  void save();
  void save_best(const RunState& before);
  bool forget_other_best();
  void forget_lost_best();
  CheckpointContent content(const HostTensors& model, const HostTensors& optimizer);

  TrainerParts parts_;
  Update& update_;  // of parts_
  TrainerSettings settings_;
  RunState state_;
  QueuedUpdates queued_;  // on a CPU none between two updates, on a device the last; state_ knows the others

  StopReason reason_ = StopReason::finished;
  int64_t saved_step_ = -1;
  std::optional<RunState> unsaved_best_;  // of the last step whose best model could not be saved
  bool compares_with_cutoffs_ = true;     // false from a resume without a best until the next evaluation
  double earlier_seconds_ = 0;            // training time of the sessions before this one
  double longest_pause_ = 1;  // the longest step, evaluation or save, in seconds: the time kept free before max_time
  double first_step_seconds_ = 0;
  Stopwatch session_;
};

}  // namespace sft
