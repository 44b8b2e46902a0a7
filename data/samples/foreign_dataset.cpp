#include "data/samples/foreign_dataset.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <iomanip>
#include <limits>
#include <optional>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/hdf5/elements.h"
#include "data/readers/foreign_labels.h"
#include "data/samples/foreign_numbers.h"

namespace sft {
namespace {

using hdf5::Bytes;
using hdf5::Class;
using hdf5::DatasetLayout;

constexpr int64_t kMostColumns = int64_t{1} << 20;

// The dataset of one of these names, the first that is there; null where none is.
const DatasetLayout* find(const GuardedFile& file, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const DatasetLayout* found = file.layout.dataset(name)) return found;
  }
  return nullptr;
}

// What has been seen of a row's length; 0: nothing yet.
using Lengths = std::vector<std::atomic<int32_t>>;

struct Span {
  int64_t first, count;
};

// The form of labels that is needed; nothing where no target is.
std::optional<LabelForm> needed_form(const GuardedFile& file, const Needs& needs) {
  for (const auto& [column, if_there] : needs) {
    if (column.role != Role::target) continue;
    if (!column.axis.empty())
      throw DataError(
          concat(file.name_of("labels"), ": a label for each ", column.axis, " is read from shards of `prepare` only"));
    if (column.number != Number::float32) return LabelForm::ids;
    return column.bound == 2 ? LabelForm::flags : LabelForm::numbers;
  }
  return {};
}

Column column_of(const ForeignLabels& labels) {
  Column column{.name = "labels", .bound = labels.width, .role = Role::target};
  if (labels.form == LabelForm::ids) return column;
  column.number = Number::float32;
  column.shape = {labels.width};
  column.bound = labels.form == LabelForm::flags ? 2 : 0;
  if (labels.form == LabelForm::numbers) column.name = "values";
  return column;
}

class PaddedDataset final : public Dataset {
 public:
  PaddedDataset(std::shared_ptr<const GuardedFile> file, const Needs& needs) : file_(std::move(file)) {
    const DatasetLayout& ids = file_->dataset("input_ids");
    if (ids.shape.size() != 2 || ids.shape[1] < 1 || ids.shape[1] > kMostColumns)
      refuse(ids, concat("its shape is ", hdf5::shape_text(ids.shape), ", and [samples, tokens] belongs there"));
    rows_ = ids.shape[0];
    columns_ = ids.shape[1];
    tokens_ = open(ids);
    const DatasetLayout* mask = find(*file_, {"attention_mask"});
    const DatasetLayout* segments = find(*file_, {"token_type_ids", "segment_ids"});
    const DatasetLayout* labels = find(*file_, {"labels", "label", "y"});
    const DatasetLayout* weights = find(*file_, {"weights", "sample_weight"});
    if (mask != nullptr) mask_ = open(require_shape(*mask, ids.shape));
    if (segments != nullptr) segments_ = open(require_shape(*segments, ids.shape));
    const DatasetLayout* teacher = find(*file_, {"teacher_logits"});
    if (labels == nullptr) file_->dataset("labels");  // refuses, naming what there is
    labels_ = read_labels(file_, *labels, rows_, needed_form(*file_, needs));
    if (weights != nullptr) open_weights(*weights);
    if (rows_ == 0) refuse(ids, "it has no rows");
    lengths_ = Lengths(static_cast<size_t>(rows_));

    info_.name = in_quotes(file_->path, 400);
    info_.schema.units = {"token"};
    info_.schema.columns = {{.name = "tokens", .number = Number::int32, .axis = "token"}, column_of(labels_)};
    if (segments != nullptr)
      info_.schema.columns.push_back({.name = "segments", .number = Number::uint8, .axis = "token"});
    if (labels_.are_probabilities()) shares_ = add_reals("distribution", labels_.width);
    if (teacher != nullptr) {
      teacher_ = ForeignNumbers(file_, *teacher, rows_, "a teacher's logits");
      taught_ = add_reals("teacher_logits", teacher_.width());
    }
    info_.num_samples = info_.num_rows = rows_;
    info_.max_length = columns_;
    info_.has_weights = weights != nullptr;
    info_.fingerprint = fingerprint();
    announce(mask, segments, *labels, weights);
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }
  int64_t row(int64_t i) const override { return i; }

  int64_t length(int64_t i) const override {
    assert(i >= 0 && i < rows_);
    const int32_t known = lengths_[static_cast<size_t>(i)].load(std::memory_order_relaxed);
    return known > 0 ? known : span_of(i).count;
  }

  void append(int64_t i, Batch& out) const override {
    const Span span = span_of(i);
    out.axes[0].push_back(out.axes[0].back() + span.count);
    append_integers<int32_t>(tokens_, kTokens, i, span, out.columns[kTokens]);
    append_target(i, out.columns[kTarget]);
    if (segments_.content) append_integers<uint8_t>(segments_, kSegments, i, span, out.columns[kSegments]);
    if (shares_ != SIZE_MAX) append_values(i, out.columns[shares_]);
    if (taught_ != SIZE_MAX) teacher_.append(i, out.columns[taught_]);
    out.weights.push_back(weight(i));
    out.rows.push_back(i);
    bytes_read_.fetch_add(
        span.count * (tokens_.type.bytes + (segments_.content ? segments_.type.bytes : 0)) + target_bytes(),
        std::memory_order_relaxed);
  }

  void append(int64_t i, size_t column, Packed& out) const override {
    if (column == kTarget) return append_target(i, out);
    if (column == shares_) return append_values(i, out);
    if (column == taught_) return teacher_.append(i, out);
    if (column == kTokens) return append_integers<int32_t>(tokens_, column, i, span_of(i), out);
    append_integers<uint8_t>(segments_, column, i, span_of(i), out);
  }

  // What is below the bound is below it once and for all; the rows are read for it in order, one at a time.
  void require(const Needs& needs, Shard mine) override {
    Dataset::require(needs, mine);
    bool has_new = false;
    for (const auto& [wanted, if_there] : needs) {
      const size_t place = info_.schema.place(wanted.name);
      if (place == SIZE_MAX || wanted.bound == 0 || info_.schema.columns[place].bound > 0) continue;
      info_.schema.columns[place].bound = wanted.bound;
      has_new = true;
    }
    const auto [first, end] = range_of(rows_, mine);
    Batch one(info_.schema);
    for (int64_t i = has_new ? first : end; i < end; ++i, one.clear(), beat()) append(i, one);
  }

 private:
  enum : size_t { kTokens, kTarget, kSegments };  // places in the schema

  struct Source {
    std::unique_ptr<Bytes> content;  // null where the file has none
    hdf5::Type type;
    std::string name;
  };

  void append_target(int64_t i, Packed& out) const {
    if (labels_.form == LabelForm::ids) {
      const int64_t label = labels_.ids[static_cast<size_t>(i)];
      return out.append(std::span(&label, 1));
    }
    append_values(i, out);
  }

  void append_values(int64_t i, Packed& out) const {
    out.append(
        std::span(labels_.values).subspan(static_cast<size_t>(i * labels_.width), static_cast<size_t>(labels_.width)));
  }

  // The place of a column of so many numbers a sample, put behind the others.
  size_t add_reals(const char* name, int64_t width) {
    info_.schema.columns.push_back({.name = name, .number = Number::float32, .shape = {width}, .role = Role::target});
    return info_.schema.columns.size() - 1;
  }

  int64_t target_bytes() const {  // every element of a target is a number of four bytes
    return int64_t{sizeof(float)} * (labels_.form == LabelForm::ids ? 1 : labels_.width);
  }

  const char* words_for_targets() const {
    switch (labels_.form) {
      case LabelForm::flags:
        return " (sets of labels, ";
      case LabelForm::numbers:
        return " (real numbers, ";
      case LabelForm::ids:
        break;
    }
    return labels_.are_probabilities() ? " (probabilities, " : labels_.one_hot ? " (one-hot, " : " (ids, ";
  }

  Source open(const DatasetLayout& dataset) const {
    if (dataset.type.kind != Class::integer)
      refuse(dataset, concat("is ", dataset.type.name, ", and integers are read"));
    return {hdf5::open_bytes(file_, dataset), dataset.type, dataset.name};
  }

  void open_weights(const DatasetLayout& dataset) {
    if (dataset.type.kind != Class::integer && dataset.type.kind != Class::floating)
      refuse(dataset, concat("is ", dataset.type.name, ", and numbers are read"));
    weights_ = {hdf5::open_bytes(file_, require_shape(dataset, {rows_})), dataset.type, dataset.name};
  }

  // The run of ones in the row's mask. Padding is known by the mask alone, never by an id: a pad token that is
  // also the end of a text would hide it.
  Span span_of(int64_t i) const {
    if (!mask_.content) return {0, columns_};
    thread_local std::vector<int64_t> mask;
    hdf5::read_integers(*mask_.content, mask_.type, i * columns_, columns_, mask);
    int64_t first = 0, end = columns_;
    while (first < end && mask[static_cast<size_t>(first)] == 0) ++first;
    while (end > first && mask[static_cast<size_t>(end - 1)] == 0) --end;
    if (first == end) refuse_row(mask_.name, i, "all of it is masked, so the sample has no tokens; drop the row");
    for (int64_t column = first; column < end; ++column) {
      if (mask[static_cast<size_t>(column)] != 1)
        refuse_row(mask_.name, i,
                   concat("column ", column, " is ", mask[static_cast<size_t>(column)],
                          "; a row is one run of ones between zeros"));
    }
    lengths_[static_cast<size_t>(i)].store(static_cast<int32_t>(end - first), std::memory_order_relaxed);
    return {first, end - first};
  }

  float weight(int64_t i) const override {
    if (!weights_.content) return 1.0f;
    thread_local std::vector<double> value;
    hdf5::read_reals(*weights_.content, weights_.type, i, 1, value);
    const auto weight = static_cast<float>(value[0]);
    if (!(weight >= 0.0f) || std::isinf(weight))
      refuse_row(weights_.name, i, concat(value[0], " is not a finite number at or above 0"));
    return weight;
  }

  // Numbers of a row that are within the column's bound, or within its type where no bound is known.
  template <class T>
  void append_integers(const Source& source, size_t column, int64_t row, Span span, Packed& out) const {
    const int64_t bound = info_.schema.columns[column].bound;
    const int64_t most = bound > 0 ? bound - 1 : int64_t{std::numeric_limits<T>::max()};
    thread_local std::vector<int64_t> values;
    hdf5::read_integers(*source.content, source.type, row * columns_ + span.first, span.count, values);
    auto* to = reinterpret_cast<T*>(out.grow(values.size()));
    for (const int64_t value : values) {
      if (value < 0 || value > most) refuse_row(source.name, row, concat(value, " is outside 0 … ", most));
      *to++ = static_cast<T>(value);
    }
  }

  // Carries `crc` over a dataset: over all of it, or of a large one over pieces from all over.
  static uint32_t crc_of(const Bytes& content, uint32_t crc) {
    constexpr int64_t kWhole = int64_t{64} << 20, kPieces = 64, kPieceBytes = int64_t{1} << 20;
    const int64_t size = content.size(), piece = std::min(kPieceBytes, size);
    const int64_t step = size <= kWhole ? piece : (size - piece) / (kPieces - 1);
    std::vector<std::byte> bytes(static_cast<size_t>(piece));
    for (int64_t at = 0; at < size; at += step, beat()) {
      const int64_t here = std::min(piece, size - at);
      content.read(at, here, bytes.data());
      crc = crc32c(bytes.data(), static_cast<size_t>(here), crc);
    }
    return crc;
  }

  // There are no checksums in the file: all labels, all shapes, and all that a sample is made of, or pieces of it.
  std::string fingerprint() const {
    uint32_t crc = crc32c(labels_.ids.data(), labels_.ids.size() * sizeof(int32_t));
    crc = crc32c(labels_.values.data(), labels_.values.size() * sizeof(float), crc);
    for (const Source* source : {&tokens_, &mask_, &segments_, &weights_})
      crc = source->content ? crc_of(*source->content, crc) : crc32c(&crc, 1, crc);
    if (teacher_.is_there()) crc = crc_of(teacher_.content(), crc);
    return concat("padded-", rows_, "-", columns_, "-", tokens_.type.bytes, "-", labels_.width, "-", std::hex,
                  std::setw(8), std::setfill('0'), crc);
  }

  void announce(const DatasetLayout* mask, const DatasetLayout* segments, const DatasetLayout& labels,
                const DatasetLayout* weights) const {
    const auto named = [](const DatasetLayout* dataset) {
      return dataset == nullptr ? std::string("none") : in_quotes(dataset->name);
    };
    log::info(concat(in_quotes(file_->path, 400), " is read as padded rows: tokens from 'input_ids' ",
                     hdf5::shape_text({rows_, columns_}), ", lengths from ", named(mask), ", token types from ",
                     named(segments), ", labels from ", named(&labels), words_for_targets(), labels_.width,
                     labels_.form == LabelForm::numbers ? " a row" : " classes", "), weights from ", named(weights)));
    if (mask == nullptr)
      log::warn_once(concat(in_quotes(file_->path, 400), " has no 'attention_mask': all ", columns_,
                            " tokens of each row are taken as real"));
    const bool has_ids = labels_.form == LabelForm::ids && labels_.width > 1 && rows_ >= 4 * labels_.width;
    if (has_ids && std::ranges::find(labels_.ids, 0) == labels_.ids.end())
      log::warn_once(concat(file_->name_of(labels.name), ": no row has the label 0, of ", labels_.width,
                            " classes; are they counted from 1? Then subtract 1: ids begin with 0"));
  }

  const DatasetLayout& require_shape(const DatasetLayout& dataset, const std::vector<int64_t>& shape) const {
    if (dataset.shape != shape)
      refuse(dataset, concat("its shape is ", hdf5::shape_text(dataset.shape), ", and ", hdf5::shape_text(shape),
                             " belongs there"));
    return dataset;
  }

  [[noreturn]] void refuse(const DatasetLayout& dataset, const std::string& why) const {
    throw DataError(concat(file_->name_of(dataset.name), ": ", why));
  }
  [[noreturn]] void refuse_row(const std::string& dataset, int64_t row, const std::string& why) const {
    throw DataError(concat(file_->name_of(dataset), ", row ", row, ": ", why));
  }

  std::shared_ptr<const GuardedFile> file_;
  int64_t rows_ = 0, columns_ = 0;
  Source tokens_, mask_, segments_, weights_;
  ForeignNumbers teacher_;
  size_t shares_ = SIZE_MAX, taught_ = SIZE_MAX;  // places in the schema, where there are such columns
  ForeignLabels labels_;
  DatasetInfo info_;
  mutable Lengths lengths_;
  mutable std::atomic<int64_t> bytes_read_{0};
};

}  // namespace

std::unique_ptr<Dataset> open_foreign(std::shared_ptr<const GuardedFile> file, const Needs& needs) {
  return std::make_unique<PaddedDataset>(std::move(file), needs);
}

}  // namespace sft
