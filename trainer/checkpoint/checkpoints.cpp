// Saving, finding and keeping; how a checkpoint is written stands in save_attempt.cpp, how it is judged in
// verify.cpp.
#include "trainer/checkpoint/checkpoints.h"

#include <algorithm>
#include <filesystem>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/checkpoint/run_directory.h"
#include "trainer/checkpoint/save_attempt.h"
#include "trainer/checkpoint/verify.h"

namespace sft {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

Checkpoints::Checkpoints(std::string directory, const SaveConfig& config, Communicator& control, FileOps& files,
                         CutSizes sizes)
    : directory_(without_trailing_slash(std::move(directory))),
      config_(config),
      control_(control),
      files_(files),
      sizes_(sizes) {}

std::string Checkpoints::path_of(int64_t step) const { return checkpoint_path(directory_, step); }

bool Checkpoints::save(const CheckpointContent& content) {
  const Stopwatch watch;
  SaveTicket ticket;
  if (control_.rank() == 0) {
    ticket = {run_id_.empty() ? unique_name() : run_id_, unique_name(),
              content.state.dump(2, ' ', false, json::error_handler_t::replace) + "\n"};
  }
  const std::string state_checksum = hex_of(crc32c(ticket.state_text.data(), ticket.state_text.size()));
  const json decided = json::parse(broadcast_from(control_, json{ticket.run_id, ticket.unique, state_checksum}.dump()));
  run_id_ = ticket.run_id = decided[0];
  ticket.unique = decided[1];
  if (content.step == committed_step_ && decided[2] == committed_state_) return true;

  const std::vector<TensorRef> optimizer = config_.save_only_model ? std::vector<TensorRef>{} : content.optimizer;
  SaveAttempt attempt(directory_, content, optimizer, !config_.save_only_model, std::move(ticket), sizes_, lock_,
                      control_, files_);
  try {
    attempt.run();
  } catch (const Error& error) {
    attempt.abandon();
    const std::string what = concat("checkpoint-", content.step, " was not saved: ", error.what());
    if (error.code() == ExitCode::not_finite) throw Error(error.code(), what, error.reach());
    if (error.code() != ExitCode::cannot_write) throw;
    if (++failures_ >= kMostFailures)
      throw Error(ExitCode::cannot_write, concat(what, "; this was failure ", failures_, " in a row"),
                  Reach::everywhere);
    if (control_.rank() == 0)
      log::error(concat(what, "; earlier checkpoints are as they were, training goes on (failure ", failures_, " of ",
                        kMostFailures, " in a row that end the run)"));
    return false;
  }
  failures_ = 0;
  committed_step_ = content.step;
  committed_state_ = decided[2];
  if (control_.rank() == 0)
    log::info(concat("saved ", path_of(content.step), " (", human_bytes(static_cast<double>(attempt.bytes())), " in ",
                     human_seconds(watch.seconds()), ")"));
  return true;
}

FoundCheckpoint Checkpoints::verified(const std::string& directory) {
  Verified found = verify_checkpoint(directory, control_);
  run_id_ = found.manifest.run_id;
  return {directory, found.manifest.step, std::move(found.state), std::move(found.manifest.settings),
          found.manifest.resumable};
}

std::optional<FoundCheckpoint> Checkpoints::find_latest() {
  std::string listing;
  size_t broken = 0;
  together(control_, [&] {
    if (control_.rank() != 0) return;
    collect_leftovers(files_, directory_);
    const RunListing run = list_run(directory_);
    for (const std::string& name : run.not_ours)
      log::warn(concat(directory_, "/", name, " has no ", kManifestName,
                       " of this program: not a checkpoint of it, ignored"));
    listing = json{steps_to_resume(directory_), run.quarantined.size()}.dump();
  });
  const json candidates = json::parse(broadcast_from(control_, listing));
  broken = candidates[1].get<size_t>();

  for (const json& step : candidates[0]) {
    const std::string directory = path_of(step);
    try {
      FoundCheckpoint found = verified(directory);
      if (control_.rank() == 0) name_latest(found.step);
      return found;
    } catch (const Error& error) {
      if (error.code() != ExitCode::bad_content) throw;
      ++broken;
      if (control_.rank() != 0) continue;
      std::string place = "it is kept as ";
      try {
        place += quarantine(files_, directory);
      } catch (const StorageError& stays) {
        place = concat("it stays where it is (", stays.what(), ")");
      }
      log::error(concat("broken checkpoint: ", error.what(), "; ", place, ", and the next older one is tried"));
    }
  }
  if (broken > 0)
    throw Error(
        ExitCode::bad_content,
        concat("no valid checkpoint in ", in_quotes(directory_, 400), ": ", broken, broken == 1 ? " was" : " were",
               " found broken and kept as checkpoint-*.corrupt-*. Remove them to start anew"),
        Reach::everywhere);
  return std::nullopt;
}

// Where the one that was saved last is broken or gone, its run is known by the one that is gone on from.
void Checkpoints::name_latest(int64_t step) {
  try {
    const std::string name = checkpoint_name(step);
    if (latest_checkpoint(directory_) != name)
      write_atomically(files_, concat(directory_, "/", kLatestName), name + "\n");
  } catch (const std::exception& error) {
    log::warn(concat("`", kLatestName, "` does not name ", path_of(step), ": ", error.what()));
  }
}

FoundCheckpoint Checkpoints::open(const std::string& checkpoint_directory) {
  const std::string directory = without_trailing_slash(checkpoint_directory);
  together(control_, [&] {
    std::error_code ignored;
    if (control_.rank() != 0 || fs::exists(fs::path(directory) / kManifestName, ignored)) return;
    if (!fs::is_directory(directory, ignored))
      throw ConfigError(concat("no checkpoint directory ", in_quotes(directory, 400)));
    throw ConfigError(
        concat(in_quotes(directory, 400), " has no ", kManifestName,
               ": not a checkpoint of this program. Its weights can be started from, as model.model_name_or_path"));
  });
  return verified(directory);
}

FoundCheckpoint Checkpoints::open_to_go_on(const std::string& checkpoint_directory) {
  FoundCheckpoint found = open(checkpoint_directory);
  together(control_, [&] {
    if (control_.rank() != 0) return;  // which alone gives a run its id
    const auto is_given_up = [&](int64_t step) { return step > found.step && is_of_run(path_of(step), run_id_); };
    if (std::ranges::any_of(list_run(directory_).steps, is_given_up)) run_id_.clear();
  });
  return found;
}

json Checkpoints::state_of(const std::string& name) {
  std::string text = "null";
  together(control_, [&] {
    const fs::path checkpoint = fs::path(directory_) / name;
    std::error_code ignored;
    if (control_.rank() == 0 && !name.empty() && fs::exists(checkpoint / kManifestName, ignored) &&
        fs::exists(checkpoint / kStateName, ignored))
      text = read_file((checkpoint / kStateName).string());
  });
  const json state = json::parse(broadcast_from(control_, text), nullptr, false);
  return state.is_object() ? state : json();
}

void Checkpoints::prune(const std::string& best) {
  if (control_.rank() != 0 || config_.save_total_limit <= 0) return;
  const std::string best_name = fs::path(without_trailing_slash(best)).filename().string();
  std::vector<int64_t> steps = list_run(directory_).steps;
  std::erase_if(steps, [&](int64_t step) { return !is_of_run(path_of(step), run_id_); });
  for (size_t k = static_cast<size_t>(config_.save_total_limit); k < steps.size(); ++k) {
    const std::string path = path_of(steps[k]);
    if (fs::path(path).filename() == best_name || steps[k] == committed_step_) continue;
    try {
      if (!is_as_saved(path, parse_manifest(read_file(path + "/" + kManifestName), path))) {
        log::warn_once(concat(path, " is older than save.save_total_limit = ", config_.save_total_limit,
                              " keeps, and stays: it holds files that this program did not save there"));
        continue;
      }
      failpoint("checkpoint.before_prune");
      discard(files_, path);
      log::detail(concat("removed ", path, ": save.save_total_limit = ", config_.save_total_limit));
    } catch (const std::exception& error) {
      log::warn(concat("an old checkpoint could not be removed: ", error.what()));
    }
  }
}

}  // namespace sft
