// Checkpoints of a run directory, by the commit protocol of docs/checkpoint_format.md: every rank
// writes its part into a temporary directory, rank 0 writes the manifest, and one rename commits. A
// directory with a final name is whole; what was reported is durable.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/file_ops.h"
#include "comm/communicator.h"
#include "trainer/checkpoint/save_config.h"
#include "trainer/checkpoint/tensor_ref.h"

namespace sft {

// What a checkpoint holds. Tensors are the same on every rank (replicated); each rank writes its share of
// them: model tensors cut at tensor borders, optimizer buffers cut by bytes.
struct CheckpointContent {
  int64_t step = 0;
  nlohmann::json state;                                      // trainer_state.json: cursor, best metric, log history, …
  nlohmann::json settings;                                   // that alter training; compared on resume
  std::vector<TensorRef> model;
  std::vector<TensorRef> optimizer;                          // flat buffers; empty with save_only_model
  std::vector<std::pair<std::string, std::string>> files;    // config.json, tokenizer.json, …: name → content
};

// A valid checkpoint that was found, opened and verified.
struct FoundCheckpoint {
  std::string directory;
  int64_t step = 0;
  nlohmann::json state;
  nlohmann::json settings;
};

class Checkpoints {
 public:
  // Borrows both. `directory` is the run's output_dir.
  Checkpoints(std::string directory, const SaveConfig& config, Communicator& control, FileOps& files);

  // Every rank calls; true on every rank when committed and durable. A failure to write (disk full, I/O error)
  // is told loudly, cleans up, leaves earlier checkpoints as they are and returns false; after
  // `kMostFailures` in a row it throws StorageError on all ranks.
  bool save(const CheckpointContent& content);

  // Newest valid checkpoint (every file against the manifest's checksums), the same on all ranks; torn or flipped
  // ones are renamed *.corrupt-<time> and told. DataError where there were some and none is valid. Leftover
  // .tmp-checkpoint-* of dead runs are removed.
  std::optional<FoundCheckpoint> find_latest();
  FoundCheckpoint open(const std::string& checkpoint_directory);

  // Fills the tensors' memory by name; each must be there with the same dtype and bytes. Optimizer buffers
  // are assembled from however many slices wrote them.
  void load(const FoundCheckpoint& found, std::vector<TensorRef>& model, std::vector<TensorRef>& optimizer);

  // Keeps save_total_limit newest, and `best` always.
  void prune(const std::string& best);

  static constexpr int kMostFailures = 3;
  std::string path_of(int64_t step) const;  // output_dir/checkpoint-<step>
};

}  // namespace sft
