// The names in a run directory, and moving what bears them. For rank 0 alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_ops.h"

namespace sft {

struct Manifest;

// output_dir/checkpoint-<step>: whole whenever it bears this name.
std::string checkpoint_path(const std::string& directory, int64_t step);

// Not yet a checkpoint: output_dir/.tmp-checkpoint-<step>.<unique>.
std::string temporary_path(const std::string& directory, int64_t step, const std::string& unique);

// What stands in a run directory.
struct RunListing {
  std::vector<int64_t> steps;            // checkpoint-<step> with a manifest, newest first
  std::vector<std::string> not_ours;     // checkpoint-<step> without one of this program, as others write
  std::vector<std::string> quarantined;  // checkpoint-<step>.corrupt-<time>
};
RunListing list_run(const std::string& directory);

// "checkpoint-<step>".
std::string checkpoint_name(int64_t step);

inline constexpr char kLatestName[] = "latest";

// The content of `latest`, "checkpoint-<step>" of the save that was the last; "" where there is none.
std::string latest_checkpoint(const std::string& directory);

// The id of the run that saved last, by that checkpoint's manifest; "" where it cannot be read.
std::string run_of_latest(const std::string& directory);

// The steps of list_run() in the order in which a start tries them: first those of the run that saved last, as another
// one may have left later steps, then all others; the newest of each first.
std::vector<int64_t> steps_to_resume(const std::string& directory);

// Paths of what dead runs left, by their names to the last digit: .tmp-checkpoint-<step>.<unique>, .trash-… likewise,
// and the beginning of a `latest`.
std::vector<std::string> leftovers_of_checkpoints(const std::string& directory);

// Removes those, and puts back a checkpoint that was moved aside for one that never came. What cannot be removed is
// told and left.
void collect_leftovers(FileOps& files, const std::string& directory);

// Takes the name from a broken checkpoint: <path>.corrupt-<time>, which is returned.
std::string quarantine(FileOps& files, const std::string& path);

// Takes the name from a good checkpoint, for another of the same step: <path>.replaced-<time>.
std::string set_aside(FileOps& files, const std::string& path);

// Whether the checkpoint at `path` has a manifest of this run.
bool is_of_run(const std::string& path, const std::string& run_id);

// Whether the directory holds the files of its manifest, in the sizes that it says, and no other: what somebody put
// beside them would be lost with it.
bool is_as_saved(const std::string& checkpoint, const Manifest& manifest);

// Removes a checkpoint so that after a crash it is there whole or not at all.
void discard(FileOps& files, const std::string& path);

// 16 random hexadecimal digits.
std::string unique_name();

}  // namespace sft
