// Checkpoints of a run directory, by the commit protocol of docs/checkpoint_format.md: every rank
// writes its part into a temporary directory, rank 0 writes the manifest, and one rename commits. A
// directory with a final name is whole; what was reported is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/file_ops.h"
#include "comm/communicator.h"
#include "trainer/checkpoint/run_lock.h"
#include "trainer/checkpoint/save_config.h"
#include "trainer/checkpoint/slices.h"
#include "trainer/checkpoint/tensor_ref.h"

namespace sft {

// What a checkpoint holds. Model tensors are the same on every rank, which writes its share of them, cut at tensor
// borders. Optimizer buffers are the same too, and cut by bytes, or all of them are spread: each rank writes what it
// has.
struct CheckpointContent {
  int64_t step = 0;
  nlohmann::json state;     // trainer_state.json: cursor, best metric, log history, …
  nlohmann::json settings;  // that alter training; compared on resume
  std::vector<TensorRef> model;
  std::vector<TensorRef> optimizer;                        // flat buffers; empty with save_only_model
  std::vector<std::pair<std::string, std::string>> files;  // config.json, tokenizer.json, …: name → content
};

// A valid checkpoint that was found, opened and verified.
struct FoundCheckpoint {
  std::string directory;
  int64_t step = 0;
  nlohmann::json state;
  nlohmann::json settings;
  bool resumable = true;  // false: saved with save_only_model, so `load` refuses to fill optimizer buffers
};

// Every rank calls the same functions in the same order, all but path_of. Errors are the same on every rank.
class Checkpoints {
 public:
  // Borrows `control` and `files`. `directory` is the run's output_dir.
  Checkpoints(std::string directory, const SaveConfig& config, Communicator& control, FileOps& files,
              CutSizes sizes = {});

  // From now on no checkpoint is begun unless rank 0 still holds `lock` (null on the others). Borrows it.
  void guard_with(const RunLock* lock) { lock_ = lock; }

  // True when committed and durable. A failure to write (disk full, I/O error) is told loudly, cleans up,
  // leaves earlier checkpoints as they are and returns false; the kMostFailures-th in a row is an error with
  // ExitCode::cannot_write. Weights that are not finite are never saved: an error with ExitCode::not_finite that
  // names the tensor. The same step and state again is done already: true at once.
  bool save(const CheckpointContent& content);

  // Newest valid checkpoint of the run that saved last, else of any (every file against the manifest's checksums); torn
  // or flipped ones are renamed *.corrupt-<time> and told. ExitCode::bad_content where there were some and none is
  // valid. Directories of other programs are told and ignored. Leftovers of dead runs are removed.
  std::optional<FoundCheckpoint> find_latest();

  // The checkpoint in this directory and no other. ConfigError where there is none, DataError where it is not whole.
  FoundCheckpoint open(const std::string& checkpoint_directory);

  // The same, to go on from there: where later checkpoints of its run stand in the run directory, which training from
  // there does not lead to, what is saved from now on is of a new run.
  FoundCheckpoint open_to_go_on(const std::string& checkpoint_directory);

  // trainer_state.json of this checkpoint of the run directory, "checkpoint-<step>", its checksum not compared; null
  // where none stands there. Every rank calls, and has the same.
  nlohmann::json state_of(const std::string& name);

  // Fills the tensors' memory by name; each must be there with the same dtype and bytes, or it is bad content that
  // names the tensor. Optimizer buffers, or this rank's runs of them where they are spread, are assembled from however
  // many slices wrote them, spread or not; with `optimizer` empty none is read.
  void load(const FoundCheckpoint& found, std::vector<TensorRef>& model, std::vector<TensorRef>& optimizer);

  // Keeps the save_total_limit newest, and the one saved last and `best` (a checkpoint's directory, or "") always; with
  // a limit of 0, all. What is no checkpoint of this run, by the run id in its manifest, is never removed. A failure is
  // told and leaves more than asked.
  void prune(const std::string& best);

  static constexpr int kMostFailures = 3;
  std::string path_of(int64_t step) const;  // output_dir/checkpoint-<step>

 private:
  FoundCheckpoint verified(const std::string& directory);
  void name_latest(int64_t step);

  std::string directory_;
  SaveConfig config_;
  Communicator& control_;
  FileOps& files_;
  CutSizes sizes_;
  const RunLock* lock_ = nullptr;
  std::string run_id_;  // drawn at the first save, or inherited from what was resumed
  int failures_ = 0;    // in a row
  int64_t committed_step_ = -1;
  std::string committed_state_;  // checksum
};

}  // namespace sft
