// What only training needed of a run that has ended: what `sft-dist clean` removes. Judged by marks (base/mark.h),
// manifests and locks; what this program cannot be shown to have made stays, and is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/schema.h"

namespace sft {

struct Removable {
  std::string path;
  int64_t files = 0;
  int64_t bytes = 0;
};

struct Removables {
  std::vector<Removable> go;
  StringList stay;  // "checkpoint-84: the best, and model/ has another one"
};

// Of a run whose lock the caller holds: its checkpoints, once the run has ended and model/ or adapter/ holds its
// weights, `latest`, and what dead processes left. The best checkpoint stays where the exported model is another one.
Removables removable_of_run(const std::string& run);

// Of a folder of prepared rows and activations, all made anew when a run asks for them. The caller holds the locks of
// all runs that read there.
Removables removable_of_caches(const std::string& prepared);

// Removes one of them, so that after a crash a checkpoint is there whole or not at all. StorageError.
void remove(const Removable& removable);

}  // namespace sft
