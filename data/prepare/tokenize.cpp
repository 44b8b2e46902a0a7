// Rows are collected into batches, because the tokenizer works on all cores at once on many texts, and
// because a call into the native library costs more than a short text does.
#include "data/prepare/tokenize.h"

#include <cassert>
#include <filesystem>

#include "base/stop_request.h"
#include "base/text.h"
#include "data/prepare/report.h"
#include "data/prepare/target_column.h"

namespace sft {
namespace {

constexpr size_t kBatchRows = 1024;
constexpr size_t kBatchBytes = 1 << 20;

class ShardMaker {
 public:
  ShardMaker(const Tokenizing& job, std::string path) : job_(job), path_(std::move(path)) {}

  void add(const TextRow& sample, const std::string& source) {
    if (job_.split) {
      const bool wanted = job_.request.part == PrepareRequest::Part::validation;
      if (job_.split->is_validation(sample.key) != wanted) return;
    }
    if (size_ == batch_.size()) batch_.emplace_back();
    Kept& kept = batch_[size_++];
    kept.sample = sample;
    kept.source = &source;
    kept.labels.clear();
    for (const Label& label : sample.labels) kept.labels.push_back(id_of(label, sample, source));
    if (is_tagging()) check_tags(kept);
    bytes_ += sample.text.size() + sample.pair.size();
    if (size_ == kBatchRows || bytes_ >= kBatchBytes) flush();
  }

  void bad(const BadRow& error) { count_bad_row(report_, error.what()); }

  PrepareReport finish() {
    flush();
    if (!writer_) return std::move(report_);
    writer_->finish();
    report_.shards = {std::filesystem::path(path_).filename()};
    return std::move(report_);
  }

 private:
  struct Kept {
    TextRow sample;
    const std::string* source = nullptr;
    std::vector<int64_t> labels;
  };

  bool is_tagging() const { return target_form_of(job_.shard.schema) == TargetForm::token_labels; }

  int64_t id_of(const Label& label, const TextRow& sample, const std::string& source) const {
    const int64_t id = job_.labels(label);
    if (id >= 0) return id;
    throw DataError(concat(source, ":", sample.line, ": label ", in_quotes(label.text), " ",
                           not_among(label.text, job_.labels.names())));
  }

  // Without tags each word gets some label: it marks the tokens that speak for words.
  void check_tags(Kept& kept) {
    const std::vector<std::string>& words = kept.sample.words.words;
    if (!job_.request.labels_required) return kept.labels.assign(words.size(), 0);
    const int64_t broken = first_broken(kept.labels, job_.labels.names());
    if (broken < 0) return;
    const auto word = static_cast<size_t>(broken);
    count_broken_row(
        report_, concat(*kept.source, ":", kept.sample.line, ": word ", broken + 1, ", ", in_quotes(words[word], 40),
                        ", has the tag ", in_quotes(kept.sample.labels[word].text, 40)));
  }

  std::vector<Encoding> encode() const {
    if (is_tagging()) {
      std::vector<std::vector<std::string>> texts;
      for (size_t i = 0; i < size_; ++i) texts.push_back(batch_[i].sample.words.words);
      return job_.tokenizer.encode_words(texts);
    }
    std::vector<std::string_view> first, second;
    for (size_t i = 0; i < size_; ++i) {
      first.push_back(batch_[i].sample.text);
      if (!job_.config.text_pair_column.empty()) second.push_back(batch_[i].sample.pair);
    }
    return job_.tokenizer.encode_batch(first, second);
  }

  void set_target(const Kept& kept, const Encoding& encoding, Packed& target) {
    switch (target_form_of(job_.shard.schema)) {
      case TargetForm::label:
        return target.set(kept.labels.empty() ? int64_t{0} : kept.labels.front());
      case TargetForm::label_set: {
        std::vector<float> flags(job_.labels.names().size(), 0.0f);
        for (const int64_t label : kept.labels) flags[static_cast<size_t>(label)] = 1.0f;
        return target.set(flags);
      }
      case TargetForm::values:
        return target.set(kept.sample.values);
      case TargetForm::token_labels: {
        std::vector<int32_t> labels;
        job_.targets.put(encoding, kept.labels, labels);
        return target.set(labels);
      }
    }
  }

  void flush() {
    std::vector<Encoding> encodings = encode();
    for (size_t i = 0; i < size_; ++i) append_row(batch_[i], encodings[i]);
    size_ = 0;
    bytes_ = 0;
  }

  void append_row(const Kept& kept, Encoding& encoding) {
    if (const std::string problem = problem_of(encoding, job_.config); !problem.empty()) {
      const BadRow error(concat(*kept.source, ":", kept.sample.line, ": ", problem));
      if (job_.config.on_bad_row == "error") throw error;
      return bad(error);
    }
    assert(static_cast<int64_t>(encoding.ids.size()) <= job_.config.max_length);
    const bool has_labels = job_.request.labels_required;
    count_row(report_, static_cast<int64_t>(encoding.ids.size()), encoding.truncated,
              has_labels ? kept.labels : std::vector<int64_t>{});
    if (!writer_) writer_.emplace(path_, job_.shard, real_files());
    encoding.segments.resize(encoding.ids.size());  // zeros where the tokenizer gives none
    sample_.cells[0].set(encoding.ids);
    set_target(kept, encoding, sample_.cells[1]);
    if (sample_.cells.size() > 2) sample_.cells[2].set(encoding.segments);
    sample_.weight = kept.sample.weight;
    sample_.row = writer_->num_samples();
    writer_->append(sample_);
  }

  const Tokenizing& job_;
  std::string path_;
  std::vector<Kept> batch_;  // the first size_ are in use
  size_t size_ = 0, bytes_ = 0;
  Sample sample_{job_.shard.schema};  // reused
  std::optional<ShardWriter> writer_;
  PrepareReport report_;
};

}  // namespace

std::string problem_of(const Encoding& encoding, const DataConfig& config) {
  if (encoding.ids.empty()) return "the text has no tokens";
  if (!encoding.truncated || config.truncation != "error") return "";
  return concat("the text has ", encoding.full_length, " tokens, max_length is ", config.max_length,
                "; raise it, or let data.truncation be \"right\" or \"left\"");
}

void for_each_sample(const Piece& piece, const std::vector<std::string>& files, const Columns& columns,
                     const std::function<void(const TextRow&, const std::string&)>& visit,
                     const std::function<void(const BadRow&)>& on_bad_row) {
  Row row;
  TextRow sample;
  for (const InputSlice& slice : piece) {
    const std::string& path = files[slice.file];
    const auto reader = open_reader(path, slice.begin, slice.end);
    while (true) {
      leave_if_asked();
      try {
        if (!reader->next(row)) break;
        columns.read(row, path, sample);
      } catch (const BadRow& error) {
        on_bad_row(error);
        continue;
      }
      visit(sample, path);
    }
  }
}

PrepareReport tokenize(const Tokenizing& job, const Piece& piece, const std::string& folder, const std::string& name) {
  ShardMaker maker(job, std::filesystem::path(folder) / name);
  for_each_sample(
      piece, job.request.files, job.columns,
      [&](const TextRow& sample, const std::string& path) { maker.add(sample, path); },
      [&](const BadRow& error) {
        if (job.config.on_bad_row == "error") throw error;
        maker.bad(error);
      });
  return maker.finish();
}

}  // namespace sft
