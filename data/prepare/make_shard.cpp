// Rows are collected into batches, because the tokenizer works on all cores at once on many texts, and
// because a call into the native library costs more than a short text does.
#include "data/prepare/make_shard.h"

#include <algorithm>
#include <filesystem>

#include "base/failpoint.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "data/native/decompressed.h"
#include "data/prepare/report.h"

namespace sft {
namespace {

constexpr size_t kBatchBytes = 1 << 20;

class ShardSink final : public SampleSink {
 public:
  ShardSink(const Making& making, std::string path) : making_(making), path_(std::move(path)) {}

  void begin(const Row& row) override {
    if (!writer_) writer_.emplace(path_, making_.shard, real_files());
    ++report_.num_rows;
    if (!row.twice.empty())
      count_note(report_, "rows have a key twice, of which the last counts",
                 concat(row.place(), ", ", in_quotes(row.twice, 40)));
    if (row.num_lines > 1 && uncompressed_name(*row.file).ends_with(".tsv"))
      count_note(report_, kJoinsLines, row.place());
  }

  void append(Sample& sample) override {
    sample.row = report_.num_rows - 1;
    writer_->append(sample);
    ++report_.num_samples;
    if (const int64_t units = units_of(sample); units > 0) count_length(report_, units);
  }

  void refuse(const BadRow& error) override {
    if (making_.config.on_bad_row == "error") throw error;
    count_bad_row(report_, error.what());
  }

  PrepareReport& report() override { return report_; }

  PrepareReport finish() {
    if (!writer_) return std::move(report_);
    writer_->finish(report_.num_rows);
    report_.shards = {std::filesystem::path(path_).filename()};
    return std::move(report_);
  }

 private:
  int64_t units_of(const Sample& sample) const {
    const Schema& schema = making_.shard.schema;
    int64_t units = 0;
    for (const std::string& unit : schema.units) {
      const auto column = std::ranges::find(schema.columns, unit, &Column::axis);
      const Packed& cell = sample.cells[static_cast<size_t>(column - schema.columns.begin())];
      units += static_cast<int64_t>(cell.size()) / column->entry_numbers();
    }
    return units;
  }

  const Making& making_;
  std::string path_;
  std::optional<ShardWriter> writer_;
  PrepareReport report_;
};

class Batches {
 public:
  Batches(const Making& making, ShardSink& sink) : making_(making), sink_(sink) {}

  // A row to read into; keep() adds it to the batch, unless it belongs to the other side of the split.
  Row& next() {
    if (size_ == rows_.size()) rows_.emplace_back();
    return rows_[size_];
  }

  void keep() {
    if (is_wanted(rows_[size_])) bytes_ += rows_[size_++].bytes();
  }

  bool is_full() const { return size_ >= making_.recipe.rows_at_once() || bytes_ >= kBatchBytes; }

  void flush() {
    making_.recipe.make({rows_.data(), size_}, sink_);
    size_ = bytes_ = 0;
  }

 private:
  bool is_wanted(const Row& row) const {
    if (!making_.split) return true;
    const bool held_out = making_.split->is_validation(making_.recipe.group_of(row, making_.request.split_seed).key);
    return held_out == (making_.request.side == PrepareRequest::Side::validation);
  }

  const Making& making_;
  ShardSink& sink_;
  std::vector<Row> rows_;  // the first size_ are in use
  size_t size_ = 0, bytes_ = 0;
};

}  // namespace

PrepareReport make_shard(const Making& making, Reader& rows, const std::string& folder, const std::string& name) {
  failpoint("prepare.shard");
  ShardSink sink(making, std::filesystem::path(folder) / name);
  Batches batches(making, sink);
  while (true) {
    leave_if_asked();
    try {
      if (!rows.next(batches.next())) break;
      batches.keep();
    } catch (const BadRow& error) {
      sink.refuse(error);
    }
    if (batches.is_full()) batches.flush();
  }
  batches.flush();
  return sink.finish();
}

}  // namespace sft
