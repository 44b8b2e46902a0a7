// The protocol of docs/checkpoint_format.md, step by step. What a rank does alone runs inside together(), so
// that all learn of its failure before any goes on; rank 0 alone touches what has a final name.
#include "trainer/checkpoint/save_attempt.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/checkpoint/new_file.h"
#include "trainer/checkpoint/plain_name.h"
#include "trainer/checkpoint/run_directory.h"
#include "trainer/checkpoint/safetensors.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// Attempts that are cleaned up again may leave more behind than they met; a clean-up never fails a run.
template <class Action>
void as_far_as_possible(const Action& action) {
  try {
    action();
  } catch (const StorageError& error) {
    log::warn(concat("after a failed checkpoint: ", error.what()));
  }
}

// Opened anew by its name, so that what a writer believes is not believed.
int64_t size_of(const std::string& path) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error) throw StorageError(concat("cannot see ", in_quotes(path, 400), ": ", error.message()));
  return static_cast<int64_t>(bytes);
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

std::string entries_to_text(const std::vector<FileEntry>& entries) {
  nlohmann::json list = nlohmann::json::array();
  for (const FileEntry& entry : entries) list.push_back({entry.name, entry.bytes, entry.crc32c});
  return list.dump();
}

void append_entries(const std::string& text, std::vector<FileEntry>& entries) {
  for (const auto& item : nlohmann::json::parse(text))
    entries.push_back({item[0].get<std::string>(), item[1].get<int64_t>(), item[2].get<uint32_t>()});
}

// The tensors of a list, each with the slices that the plan cuts from it.
std::vector<TensorEntry> table_of(const std::vector<TensorRef>& tensors, const std::vector<FilePlan>& plan,
                                  bool is_model) {
  std::vector<TensorEntry> table;
  for (const TensorRef& tensor : tensors) table.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes, {}});
  for (const FilePlan& file : plan)
    if (file.is_model == is_model)
      for (const Cut& cut : file.cuts)
        table[cut.tensor].slices.push_back({file.name, cut.offset, cut.bytes, cut.start});
  for (TensorEntry& entry : table) std::ranges::sort(entry.slices, {}, &FileSlice::offset);
  return table;
}

std::string runs_to_text(const std::vector<TensorRef>& tensors) {
  nlohmann::json all = nlohmann::json::array();
  for (const TensorRef& tensor : tensors) {
    all.push_back(nlohmann::json::array());
    for (const ByteRun& run : tensor.runs) all.back().push_back({run.offset, run.bytes});
  }
  return all.dump();
}

std::vector<std::vector<ByteRun>> runs_from(const std::string& text) {
  std::vector<std::vector<ByteRun>> all;
  for (const auto& tensor : nlohmann::json::parse(text)) {
    all.emplace_back();
    for (const auto& run : tensor) all.back().push_back({run[0].get<int64_t>(), run[1].get<int64_t>()});
  }
  return all;
}

// Every rank calls, with the same tensors.
std::vector<FilePlan> plan_over(Communicator& control, const std::vector<TensorRef>& model,
                                const std::vector<TensorRef>& optimizer, const CutSizes& sizes) {
  if (std::ranges::none_of(optimizer, &TensorRef::is_spread))
    return plan_files(model, optimizer, control.size(), sizes);
  SpreadRuns runs;
  for (const std::string& text : gather_all(control, runs_to_text(optimizer))) runs.push_back(runs_from(text));
  return plan_files(model, optimizer, runs, sizes);
}

// Weights that are no numbers are not worth keeping: whoever goes on from them, or serves them, gets nothing else.
void require_finite(const std::vector<TensorRef>& weights) {
  for (const TensorRef& tensor : weights)
    if (const std::string what = not_finite_in(tensor); !what.empty()) throw Error(ExitCode::not_finite, what);
}

// model.safetensors.index.json, as transformers reads it.
std::string weight_index(const std::vector<TensorRef>& model, const std::vector<FilePlan>& plan) {
  int64_t bytes = 0;
  nlohmann::json files;
  for (const FilePlan& file : plan) {
    if (!file.is_model) continue;
    for (const Cut& cut : file.cuts) {
      files[model[cut.tensor].name] = file.name;
      bytes += cut.bytes;
    }
  }
  return nlohmann::json{{"metadata", {{"total_size", bytes}}}, {"weight_map", files}}.dump(2) + "\n";
}

}  // namespace

SaveAttempt::SaveAttempt(const std::string& directory, const CheckpointContent& content,
                         const std::vector<TensorRef>& optimizer, bool resumable, SaveTicket ticket,
                         const CutSizes& sizes, const RunLock* lock, Communicator& control, FileOps& files)
    : directory_(directory),
      content_(content),
      optimizer_(optimizer),
      resumable_(resumable),
      ticket_(std::move(ticket)),
      lock_(lock),
      control_(control),
      files_(files),
      sizes_(sizes),
      temporary_(temporary_path(directory, content.step, ticket_.unique)),
      destination_(checkpoint_path(directory, content.step)) {}

int64_t SaveAttempt::bytes() const {
  int64_t bytes = 0;
  for (const auto* list : {&content_.model, &optimizer_})
    for (const TensorRef& tensor : *list) bytes += tensor.bytes;
  return bytes;
}

int64_t SaveAttempt::own_bytes() const {
  int64_t bytes = 0;
  for (const FilePlan& file : plan_)
    if (file.writer == control_.rank())
      for (const Cut& cut : file.cuts) bytes += cut.bytes;
  return bytes;
}

void SaveAttempt::run() {
  agree_on_plan();
  together(control_, [&] { prepare(); });
  std::vector<FileEntry> mine;
  together(control_, [&] { mine = write_part(); });
  std::vector<FileEntry> all;
  for (const std::string& part : gather_all(control_, entries_to_text(mine))) append_entries(part, all);
  together(control_, [&] { commit(all); });
}

// Ranks that hold different tensors would cut them differently and write a checkpoint of two halves.
void SaveAttempt::agree_on_plan() {
  std::string plan = concat(content_.step, "\n");
  std::set<std::string_view> names;
  for (const auto* list : {&content_.model, &optimizer_}) {
    names.clear();
    for (const TensorRef& tensor : *list) {
      plan += concat(tensor.name, '\n', tensor.dtype, ' ', tensor.bytes, '\n');
      if (!names.insert(tensor.name).second)
        throw Error(ExitCode::internal, concat("tensor ", in_quotes(tensor.name), " stands twice in a checkpoint"),
                    Reach::everywhere);
    }
  }
  const int64_t digest = crc32c(plan.data(), plan.size());
  const int64_t least = min(control_, digest), most = max(control_, digest);
  if (least != most)
    throw Error(ExitCode::internal, concat("ranks hold different tensors or steps at checkpoint-", content_.step),
                Reach::everywhere);
  plan_ = plan_over(control_, content_.model, optimizer_, sizes_);
}

void SaveAttempt::prepare() {
  failpoint("checkpoint.before_write");
  if (control_.rank() != 0) return;
  if (lock_ != nullptr) lock_->require_held();
  files_.make_directory(directory_);
  collect_leftovers(files_, directory_);
  int64_t needed = bytes() + static_cast<int64_t>(ticket_.state_text.size());
  for (const auto& [name, text] : content_.files) needed += static_cast<int64_t>(text.size());
  needed += needed / 10 + (1 << 16);  // headers, manifest, and what the file system adds
  if (const int64_t free = files_.free_bytes(directory_); free < needed)
    throw StorageError(concat("not enough space in ", in_quotes(directory_, 400), ": ",
                              human_bytes(static_cast<double>(needed)), " needed, ",
                              human_bytes(static_cast<double>(free)), " free"));
  files_.make_directory(temporary_);
}

std::vector<FileEntry> SaveAttempt::write_part() {
  std::vector<FileEntry> entries;
  const auto add = [&](const std::string& name, uint32_t crc) {
    entries.push_back({name, size_of(concat(temporary_, "/", name)), crc});
  };
  const auto add_text = [&](const std::string& name, const std::string& text) {
    if (!is_plain_name(name) || name == kManifestName)
      throw Error(ExitCode::internal, concat("a checkpoint cannot hold a file named ", in_quotes(name)));
    add(name, write_new_file(files_, concat(temporary_, "/", name), text));
  };
  if (control_.rank() == 0) {
    for (const auto& [name, text] : content_.files) add_text(name, text);
    add_text(kStateName, ticket_.state_text);
    if (plan_.size() > 1 && plan_[1].is_model)
      add_text("model.safetensors.index.json", weight_index(content_.model, plan_));
  }
  ShownWork work("saved", "bytes", bytes(), own_bytes());
  for (const FilePlan& file : plan_) {
    if (file.writer != control_.rank()) continue;
    const std::vector<TensorRef> tensors = tensors_of(file.is_model ? content_.model : optimizer_, file);
    if (file.is_model) require_finite(tensors);
    // transformers refuses a file that does not say whose tensors it holds.
    const std::map<std::string, std::string> metadata = {{"format", file.is_model ? "pt" : "sft-dist optimizer"}};
    add(file.name, write_safetensors(
                       files_, concat(temporary_, "/", file.name), tensors, metadata,
                       [](const TensorRef& tensor) { return tensor.data; }, &work));
  }
  failpoint("checkpoint.after_write");
  return entries;
}

std::string SaveAttempt::manifest_text(const std::vector<FileEntry>& entries) const {
  Manifest manifest;
  manifest.run_id = ticket_.run_id;
  manifest.step = content_.step;
  manifest.world = control_.size();
  manifest.resumable = resumable_;
  manifest.state_digest = crc32c(ticket_.state_text.data(), ticket_.state_text.size());
  manifest.settings = content_.settings;
  manifest.files = entries;
  manifest.model = table_of(content_.model, plan_, true);
  manifest.optimizer = table_of(optimizer_, plan_, false);
  return to_text(manifest);
}

void SaveAttempt::commit(const std::vector<FileEntry>& entries) {
  if (control_.rank() != 0) return;
  for (const FileEntry& entry : entries) {
    const std::string path = concat(temporary_, "/", entry.name);
    if (const int64_t seen = size_of(path); seen != entry.bytes)
      throw StorageError(concat(path, ": ", entry.bytes, " bytes were written, but rank 0 sees ", seen));
  }
  failpoint("checkpoint.before_manifest");
  write_new_file(files_, concat(temporary_, "/", kManifestName), manifest_text(entries));
  files_.sync_directory(temporary_);

  failpoint("checkpoint.before_commit");
  const std::string aside = make_way();
  try {
    files_.rename(temporary_, destination_);
    files_.sync_directory(directory_);
  } catch (const StorageError&) {
    take_back(aside);
    throw;
  }
  as_far_as_possible([&] {
    failpoint("checkpoint.after_commit");
    write_atomically(files_, concat(directory_, "/", kLatestName), checkpoint_name(content_.step) + "\n");
    if (!aside.empty() && is_of_run(aside, ticket_.run_id)) discard(files_, aside);
  });
}

// Moves aside what bears the name already: the same step of this run with another state, or of another run
// that began from an earlier step. Returns where it is now; "" if there was nothing.
std::string SaveAttempt::make_way() {
  if (!is_there(destination_)) return "";
  const std::string aside = set_aside(files_, destination_);
  if (!is_of_run(aside, ticket_.run_id))
    log::warn(concat(destination_, " was there already, from another run: it is now ", aside));
  return aside;
}

// A rename that is not known to be durable is no commit.
void SaveAttempt::take_back(const std::string& aside) {
  as_far_as_possible([&] {
    if (is_there(destination_) && !is_there(temporary_)) files_.rename(destination_, temporary_);
    if (!aside.empty()) files_.rename(aside, destination_);
  });
}

void SaveAttempt::abandon() {
  if (control_.rank() != 0) return;
  as_far_as_possible([&] { files_.remove_all(temporary_); });
}

}  // namespace sft
