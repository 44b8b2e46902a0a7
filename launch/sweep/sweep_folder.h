// A sweep on disk: the trials that were settled so far and what has come of them. A file a trial, written whole, so
// that the tasks of an array may write theirs at the same time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/errors.h"
#include "launch/sweep/rungs.h"
#include "launch/sweep/sweep_plan.h"
#include "launch/sweep/tpe.h"
#include "launch/sweep/trial_outcome.h"

namespace sft {

// Whether a trial that ended so has come to its end: with 0, or with an error that its settings have, so that the same
// start would end so again. Otherwise the machine ended it, and it is to be started again.
bool settles(ExitCode code);

class SweepFolder {
 public:
  // `directory` is the sweep's. For rank 0.
  SweepFolder(std::string directory, SweepPlan plan);

  // The trial of this number: of the plan, or as it was written down, or proposed from the trials of earlier rounds.
  // Nothing where no settings were found that were not tried. ConfigError where a trial of an earlier round has not
  // ended, naming it, and where the folder is of another [sweep] table.
  std::optional<Trial> trial(size_t number) const;

  // The scores that the trial must have reached at each rung; none without pruning. ConfigError as above.
  Cutoffs cutoffs(size_t number) const;

  // ConfigError naming both where a trial that has ended was compared by another metric, or in the other direction,
  // than this start compares, and where two were: its proposals and prunings would follow from both.
  void require_one_measure() const;

  // Whether the trial was given up in an earlier start of this sweep, and so is not to be started again.
  bool is_pruned(size_t number, const Trial& trial) const;

  // Writes down that the trial is settled, and how it ended.
  void begin(size_t number, const Trial& trial) const;
  void end(size_t number, const Trial& trial, ExitCode code) const;

 private:
  struct Record;

  std::string record_path(size_t number) const;
  std::optional<Record> record(size_t number) const;
  void write(size_t number, const Trial& trial, const std::optional<ExitCode>& code) const;
  std::optional<Trial> proposed(size_t number, const std::vector<Trial>& earlier) const;
  SearchPoint place_of(const Trial& trial) const;
  std::optional<TrialOutcome> ended(size_t number, const std::optional<Record>& written) const;  // nothing: an error
  ObservedTrial observed(size_t number, const Trial& trial) const;

  std::string directory_;
  SweepPlan plan_;
  std::string identity_;  // of what proposals follow from, beside the results
};

}  // namespace sft
