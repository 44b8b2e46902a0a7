// One attempt at writing a checkpoint: all that happens between the wish and the one rename that
// makes it so.
#pragma once

#include <string>
#include <vector>

#include "base/file_ops.h"
#include "comm/communicator.h"
#include "trainer/checkpoint/checkpoints.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/slices.h"

namespace sft {

// What all ranks have to call by the same name, and rank 0 decided.
struct SaveTicket {
  std::string run_id;
  std::string unique;      // of this attempt
  std::string state_text;  // trainer_state.json; empty on other ranks
};

class SaveAttempt {
 public:
  // Borrows everything but the ticket. `lock` may be null.
  SaveAttempt(const std::string& directory, const CheckpointContent& content, const std::vector<TensorRef>& optimizer,
              bool resumable, SaveTicket ticket, const CutSizes& sizes, const RunLock* lock, Communicator& control,
              FileOps& files);

  // Every rank calls. Returns when the checkpoint is committed and durable; otherwise throws the same error on
  // every rank, and nothing bears the final name that did not before.
  void run();

  // Rank 0 removes what a failed run() wrote, as far as that is possible.
  void abandon();

  int64_t bytes() const;  // of all ranks' tensors

 private:
  int64_t own_bytes() const;  // that this rank writes
  void agree_on_plan();
  void prepare();
  std::vector<FileEntry> write_part();
  void commit(const std::vector<FileEntry>& entries);
  std::string make_way();
  void take_back(const std::string& aside);
  std::string manifest_text(const std::vector<FileEntry>& entries) const;

  const std::string& directory_;
  const CheckpointContent& content_;
  const std::vector<TensorRef>& optimizer_;
  bool resumable_;
  SaveTicket ticket_;
  const RunLock* lock_;
  Communicator& control_;
  FileOps& files_;
  CutSizes sizes_;
  std::vector<FilePlan> plan_;  // the same on every rank
  std::string temporary_;
  std::string destination_;
};

}  // namespace sft
