#include "launch/removable.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <ranges>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/leftovers.h"
#include "base/mark.h"
#include "base/text.h"
#include "launch/near_duplicate_rows.h"
#include "launch/run_directory.h"
#include "trainer/assembly/ended_run.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/run_directory.h"
#include "trainer/learner/activation_file.h"
#include "trainer/model_files/model_export.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

Removable measured(const std::string& path) {
  Removable removable{.path = path};
  const auto count = [&](const fs::directory_entry& entry) {
    if (entry.is_directory() && !entry.is_symlink()) return;
    removable.files += 1;
    if (entry.is_regular_file() && !entry.is_symlink()) removable.bytes += static_cast<int64_t>(entry.file_size());
  };
  const fs::directory_entry whole(path);
  count(whole);
  if (whole.is_directory() && !whole.is_symlink())
    for (const auto& entry : fs::recursive_directory_iterator(path)) count(entry);
  return removable;
}

std::optional<Manifest> manifest_of(const std::string& checkpoint) {
  const std::string path = checkpoint + "/" + kManifestName;
  try {
    return parse_manifest(read_file(path), path);
  } catch (const Error&) {
    return {};
  }
}

// Why all checkpoints of the run stay; "" where they do not.
std::string why_all_stay(const std::string& run) {
  const auto ended = read_ended_run(run);
  if (!ended) return "the run has not ended";
  const std::vector<int64_t> steps = steps_to_resume(run);
  if (!steps.empty() && steps.front() > ended->step)
    return "it was trained further than model/ has it, and has not ended";
  const std::string model = exported_by(run);
  if (model.empty()) return "there is no model/ that has its weights";
  if (!holds_exported_weights(model)) return concat(model, " does not hold the weights that the run left there");
  if (run_of_latest(run).empty()) return "`latest` does not say which of them are this run's";
  return "";
}

// Of one checkpoint; "" where it may go.
std::string why_it_stays(const std::string& checkpoint, const std::string& run_id, const std::string& best) {
  if (fs::is_symlink(checkpoint)) return "it is a link";
  if (fs::path(checkpoint).filename() == best)
    return concat("the best, and model/ has another one (sft-dist export ", fs::path(checkpoint).parent_path().string(),
                  " --checkpoint best keeps it)");
  const auto manifest = manifest_of(checkpoint);
  if (!manifest || manifest->run_id != run_id) return "it is of another run";
  if (!is_as_saved(checkpoint, *manifest)) return "it holds files that are not as this program saved them";
  return "";
}

// "checkpoint-84" where the run's best checkpoint is not what it exported; else "".
std::string best_beside_model(const std::string& run, const std::vector<int64_t>& steps) {
  const auto summary = nlohmann::json::parse(read_file(run + "/summary.json"), nullptr, false);
  const std::string best = summary.is_object() ? summary.value("best_model_checkpoint", "") : "";
  const int64_t last = summary.is_object() ? summary.value("global_step", int64_t{-1}) : -1;
  if (best.empty() || kept_config(run).eval.load_best_model_at_end) return "";
  const bool is_last = std::ranges::find(steps, last) != steps.end() && run + "/" + best == checkpoint_path(run, last);
  return is_last ? "" : fs::path(best).filename().string();
}

void add_checkpoints(const std::string& run, Removables& found) {
  const std::vector<int64_t> steps = list_run(run).steps;
  if (steps.empty()) return;
  if (const std::string why = why_all_stay(run); !why.empty()) {
    found.stay.push_back(concat("checkpoints: ", why));
    return;
  }
  const std::string latest = latest_checkpoint(run), run_id = run_of_latest(run), best = best_beside_model(run, steps);
  // The oldest first: stopped half-way, `latest` still names one that is there, and the rest goes at the next time.
  for (const int64_t step : steps | std::views::reverse) {
    const std::string path = checkpoint_path(run, step), name = fs::path(path).filename().string();
    if (const std::string why = why_it_stays(path, run_id, best); !why.empty())
      found.stay.push_back(concat(name, ": ", why));
    else
      found.go.push_back(measured(path));
    if (name == latest && !found.go.empty() && found.go.back().path == path)
      found.go.push_back(measured(run + "/" + kLatestName));
  }
}

// Rows on their way into predictions.jsonl, which nobody else writes under the run's lock.
bool is_part_of_predictions(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  constexpr std::string_view kPart = ".predictions.part-";
  const bool named =
      name == ".predictions.whole" || (name.starts_with(kPart) && name.size() > kPart.size() &&
                                       name.find_first_not_of("0123456789", kPart.size()) == std::string::npos);
  return named && entry.is_regular_file() && !entry.is_symlink();
}

bool is_dead_scratch(const fs::directory_entry& entry) {
  const auto mark = entry.is_directory() && !entry.is_symlink() ? mark_of(entry.path().string()) : std::nullopt;
  return mark && mark->value("is", "") == "scratch" && is_left_over(entry.path().filename().string());
}

}  // namespace

Removables removable_of_run(const std::string& run) {
  Removables found;
  add_checkpoints(run, found);
  for (const std::string& path : leftovers_of_checkpoints(run)) found.go.push_back(measured(path));
  for (const auto& entry : fs::directory_iterator(run))
    if (is_part_of_predictions(entry) || is_dead_scratch(entry)) found.go.push_back(measured(entry.path().string()));
  for (const std::string& broken : list_run(run).quarantined)
    found.stay.push_back(concat(broken, ": found broken, and kept to be looked at"));
  return found;
}

Removables removable_of_caches(const std::string& prepared) {
  Removables found;
  if (!fs::is_directory(prepared) || fs::is_symlink(prepared)) return found;
  for (const auto& entry : fs::directory_iterator(prepared)) {
    const std::string path = entry.path().string(), name = entry.path().filename().string();
    const bool is_folder = entry.is_directory() && !entry.is_symlink();
    const auto mark = is_folder ? mark_of(path) : std::nullopt;
    const bool is_rows = mark && mark->value("is", "") == "prepared";
    const bool is_whole = name.find(".partial-") == std::string::npos && name.find(".tmp-") == std::string::npos;
    const bool is_file = entry.is_regular_file() && !entry.is_symlink();
    if (is_whole ? is_rows || (is_file && (is_activation_file(path) || is_near_duplicates_file(path)))
                 : is_left_over(name) && (is_rows || !is_folder))
      found.go.push_back(measured(path));
    else if (is_whole)
      found.stay.push_back(concat(path, ": not known to be made by this program"));
  }
  return found;
}

void remove(const Removable& removable) {
  const fs::path path(removable.path);
  if (path.filename().string().starts_with("checkpoint-"))
    discard(real_files(), removable.path);
  else
    real_files().remove_all(removable.path);
}

}  // namespace sft
