#include "data/samples/stored_shard.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iomanip>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/format.h"
#include "data/hdf5/shard_reading.h"
#include "data/samples/bounds.h"
#include "data/samples/stored_form.h"

namespace sft {
namespace {

using hdf5::Bytes;
using hdf5::DatasetLayout;

// As the column says, or in fewer bytes.
StringList stored_types(const Column& column) {
  StringList types;
  if (column.number == Number::int32) types.emplace_back("uint16");
  if (column.number == Number::float32 && column.bound > 0) types.emplace_back("uint8");
  types.emplace_back(name_of(column.number));
  return types;
}

template <class T>
T element(const Bytes& content, int64_t i) {
  T value;
  content.read(i * int64_t{sizeof(T)}, sizeof(T), reinterpret_cast<std::byte*>(&value));
  return value;
}

}  // namespace

// The first words are older than columns: checkpoints hold them.
std::string fingerprint(const Schema& schema, const ContentHash& hash, int64_t num_samples, int64_t num_units) {
  return concat(schema.units.empty() ? "image-" : "csr-", num_samples, "-", num_units, "-", std::hex, std::setw(16),
                std::setfill('0'), hash.value());
}

StoredShard::StoredShard(std::shared_ptr<const GuardedFile> file) : file_(std::move(file)) {
  const ShardForm form = form_of(*file_);
  info_.name = in_quotes(file_->path, 400);
  info_.schema = form.schema;
  info_.num_samples = form.num_samples;
  info_.num_rows = form.num_rows;
  info_.max_length = form.max_length;
  info_.tokenizer_sha256 = form.tokenizer_sha256;
  info_.label_names = form.label_names;
  info_.has_weights = form.has_weights;
  content_hash_ = ContentHash(form.content_hash, form.num_samples);
  open_columns(form);
  info_.fingerprint = fingerprint(info_.schema, content_hash_, info_.num_samples, num_units_);
}

void StoredShard::open_columns(const ShardForm& form) {
  const StringList axes = info_.schema.axes();
  if (axes.size() > kMostAxes)
    throw DataError(concat(in_quotes(file_->path, 400), ": its columns lie along ", axes.size(), " axes, and ",
                           kMostAxes, " are read"));
  axes_.resize(axes.size());
  for (size_t a = 0; a < axes.size(); ++a) {
    axes_[a] = {form.offsets[a], nullptr, -1,
                std::ranges::find(info_.schema.units, axes[a]) != info_.schema.units.end()};
    entries_of(*file_, axes_[a].dataset, {"int64"}, info_.num_samples + 1);
  }
  for (size_t c = 0; c < info_.schema.columns.size(); ++c) {
    const Column& column = info_.schema.columns[c];
    const auto axis = static_cast<size_t>(std::ranges::find(axes, column.axis) - axes.begin());
    Axis* const along = column.axis.empty() ? nullptr : &axes_[axis];
    const DatasetLayout& found = entries_of(*file_, form.datasets[c], stored_types(column),
                                            along ? along->total : info_.num_samples, column.shape);
    if (along) along->total = found.shape[0];
    contents_.push_back({.column = &column,
                         .dataset = form.datasets[c],
                         .bytes = nullptr,
                         .axis = along ? axis : SIZE_MAX,
                         .entry_numbers = column.entry_numbers(),
                         .number_bytes = found.type.bytes,
                         .narrow = found.type.bytes < bytes_of(column.number)});
  }
  if (form.has_weights) entries_of(*file_, format::kWeights, {"float32"}, info_.num_samples);
  if (form.has_rows) entries_of(*file_, format::kRows, {"int64"}, info_.num_samples);

  auto content = open_covered(file_, form.covered);
  for (Content& column : contents_) column.bytes = std::move(content[column.dataset]);
  for (Axis& axis : axes_) axis.offsets = std::move(content[axis.dataset]);
  if (form.has_weights) weights_ = std::move(content[format::kWeights]);
  if (form.has_rows) rows_ = std::move(content[format::kRows]);
  if (info_.schema.units.empty()) num_units_ = info_.num_samples;
  for (const Axis& axis : axes_)
    if (axis.counts) num_units_ += axis.total;
}

std::vector<const Bytes*> StoredShard::all_content() const {
  std::vector<const Bytes*> all;
  for (const Content& content : contents_) all.push_back(content.bytes.get());
  for (const Axis& axis : axes_) all.push_back(axis.offsets.get());
  for (const Bytes* once : {weights_.get(), rows_.get()})
    if (once != nullptr) all.push_back(once);
  return all;
}

int64_t StoredShard::checkable_bytes() const {
  int64_t bytes = 0;
  for (const Bytes* content : all_content()) bytes += content->size();
  return bytes;
}

// A block is compared with its checksum when its first byte is read.
void StoredShard::check(Shard mine) const {
  for (const Bytes* content : all_content()) {
    const int64_t blocks = (content->size() + format::kBlockBytes - 1) / format::kBlockBytes;
    const auto [first, end] = sft::range_of(blocks, mine);
    std::byte byte;
    for (int64_t block = first; block < end; ++block) content->read(block * format::kBlockBytes, 1, &byte);
  }
}

StoredShard::Range StoredShard::range_of(const Axis& axis, int64_t i) const {
  assert(i >= 0 && i < info_.num_samples);
  int64_t ends[2];
  axis.offsets->read(i * int64_t{sizeof(int64_t)}, sizeof ends, reinterpret_cast<std::byte*>(ends));
  const int64_t least = axis.counts && info_.schema.units.size() == 1 ? 1 : 0;
  const int64_t most = axis.counts ? info_.max_length : axis.total;
  if (ends[0] < 0 || ends[1] < ends[0] + least || ends[1] > axis.total || ends[1] - ends[0] > most)
    refuse(i, axis.dataset,
           concat("it has the entries from ", ends[0], " to ", ends[1], " of ", axis.total, ", and ", least, " to ",
                  most, " of them belong to a sample"));
  return {ends[0], ends[1] - ends[0]};
}

StoredShard::Ranges StoredShard::ranges_of(int64_t i) const {
  Ranges ranges;
  for (size_t a = 0; a < axes_.size(); ++a) ranges[a] = range_of(axes_[a], i);
  return ranges;
}

// Entries of a dataset that are the sample's.
StoredShard::Range StoredShard::range_in(const Content& content, int64_t i, const Ranges& ranges) const {
  return content.axis == SIZE_MAX ? Range{i, 1} : ranges[content.axis];
}

int64_t StoredShard::length(int64_t i) const {
  if (info_.schema.units.empty()) return 1;
  int64_t units = 0;
  for (const Axis& axis : axes_)
    if (axis.counts) units += range_of(axis, i).count;
  return units;
}

void StoredShard::append(int64_t i, Batch& out) const {
  const Ranges ranges = ranges_of(i);
  for (size_t a = 0; a < axes_.size(); ++a) out.axes[a].push_back(out.axes[a].back() + ranges[a].count);
  int64_t bytes = weights_ ? int64_t{sizeof(float)} : 0;
  for (size_t c = 0; c < contents_.size(); ++c) {
    const Range range = range_in(contents_[c], i, ranges);
    append(contents_[c], i, range, out.columns[c]);
    bytes += range.count * contents_[c].entry_bytes();
  }
  out.weights.push_back(weight(i));
  out.rows.push_back(row(i));
  bytes_read_.fetch_add(bytes, std::memory_order_relaxed);
}

void StoredShard::append(int64_t i, size_t column, Packed& out) const {
  const Content& content = contents_[column];
  append(content, i, content.axis == SIZE_MAX ? Range{i, 1} : range_of(axes_[content.axis], i), out);
}

void StoredShard::append(const Content& content, int64_t i, const Range& range, Packed& out) const {
  const int64_t numbers = range.count * content.entry_numbers;
  std::byte* const to = out.grow(static_cast<size_t>(numbers));
  const int64_t first = range.first * content.entry_bytes();
  if (content.narrow) {
    read_narrow(content, first, numbers, to);
  } else {
    content.bytes->read(first, numbers * content.number_bytes, to);
  }
  if (!fits(*content.column, to, static_cast<size_t>(numbers)))
    refuse(i, content.dataset, fault_of(*content.column, to, static_cast<size_t>(numbers)));
}

void StoredShard::read_narrow(const Content& content, int64_t first, int64_t numbers, std::byte* to) const {
  alignas(8) std::byte piece[1024];
  const int64_t width = content.number_bytes, most = int64_t{sizeof piece} / width;
  const int64_t wide = bytes_of(content.column->number);
  for (int64_t done = 0; done < numbers;) {
    const int64_t now = std::min(most, numbers - done);
    content.bytes->read(first + done * width, now * width, piece);
    widen(*content.column, piece, static_cast<size_t>(now), to + done * wide);
    done += now;
  }
}

float StoredShard::weight(int64_t i) const {
  const float weight = weights_ ? element<float>(*weights_, i) : 1.0f;
  if (!(weight >= 0.0f) || std::isinf(weight))
    refuse(i, format::kWeights, concat("weight ", weight, " is not a finite number at or above 0"));
  return weight;
}

int64_t StoredShard::row(int64_t i) const {
  if (!rows_) return i;
  const auto row = element<int64_t>(*rows_, i);
  if (row < 0 || row >= info_.num_rows)
    refuse(i, format::kRows, concat("row ", row, " is outside 0 … ", info_.num_rows - 1));
  return row;
}

void StoredShard::expect(int64_t i, Soon what) const {
  if (what == Soon::length) {
    for (const Axis& axis : axes_)
      if (axis.offsets->is_in_memory()) axis.offsets->expect(i * int64_t{sizeof(int64_t)}, 2 * sizeof(int64_t));
    return;
  }
  if (!contents_.front().bytes->is_in_memory()) return;
  const Ranges ranges = ranges_of(i);
  for (const Content& content : contents_) {
    const Range range = range_in(content, i, ranges);
    content.bytes->expect(range.first * content.entry_bytes(), range.count * content.entry_bytes());
  }
  if (weights_) weights_->expect(i * int64_t{sizeof(float)}, sizeof(float));
  if (rows_) rows_->expect(i * int64_t{sizeof(int64_t)}, sizeof(int64_t));
}

void StoredShard::refuse(int64_t i, const std::string& dataset, const std::string& why) const {
  throw DataError(concat(file_->name_of(dataset), ", sample ", i, ": ", why));
}

void verify(const StoredShard& shard) {
  const auto refuse = [&](const std::string& what) { throw DataError(in_quotes(shard.path(), 400) + what); };
  ContentHash hash;
  int64_t row = 0;
  Batch one(shard.schema());
  std::vector<int64_t> entries(one.axes.size());
  for (int64_t i = 0; i < shard.size(); ++i) {
    one.clear();
    shard.append(i, one);
    hash.add(one.schema, one.columns, shard.info().has_weights ? std::optional(one.weights[0]) : std::nullopt);
    for (size_t a = 0; a < entries.size(); ++a) entries[a] += one.axes[a].back();
    if (one.rows[0] < row)
      refuse(concat(", dataset 'rows', sample ", i, ": row ", one.rows[0], " comes behind row ", row));
    row = one.rows[0];
  }
  for (size_t a = 0; a < entries.size(); ++a)
    if (entries[a] != shard.entries(a))
      refuse(concat(": samples cover ", entries[a], " of ", shard.entries(a), " entries along ",
                    in_quotes(shard.schema().axes()[a])));
  if (hash.value() != shard.content_hash().value())
    refuse(", attribute 'content_hash': the samples are not those that were written");
}

}  // namespace sft
