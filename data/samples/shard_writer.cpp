#include "data/samples/shard_writer.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <deque>

#include "data/hdf5/format.h"
#include "data/hdf5/shard_file.h"
#include "data/samples/bounds.h"
#include "data/samples/content_hash.h"
#include "data/samples/stored_form.h"

namespace sft {
namespace {

// Whether the writer finds the bound.
bool is_measured(const Column& column) {
  return column.role == Role::target && column.bound == 0 && column.number != Number::float32;
}

template <class T>
int64_t bound_of(std::span<const T> numbers) {
  return numbers.empty() ? 0 : int64_t{*std::ranges::max_element(numbers)} + 1;
}

int64_t bound_of(const Packed& cell) {
  if (cell.number() == Number::uint8) return bound_of(cell.as<uint8_t>());
  return cell.number() == Number::int32 ? bound_of(cell.as<int32_t>()) : bound_of(cell.as<int64_t>());
}

[[maybe_unused]] bool is_name_free(const std::string& name) {
  return name != format::kWeights && name != format::kRows && name != format::kChecksums &&
         !name.ends_with(format::kOffsetsEnding);
}

// One dataset of numbers, widths and names of the schema.
class SpooledColumn {
 public:
  SpooledColumn(const Column& column, const std::string& directory, FileOps& files)
      : column_(column), content_(column.name, stored_element(column), directory, files, column.shape) {}

  void append(const Packed& cell) {
    const auto stored = static_cast<size_t>(stored_bytes(content_.element));
    if (static_cast<int64_t>(stored) == bytes_of(column_.number)) {
      content_.content.append(cell.bytes(), cell.num_bytes());
    } else {
      narrow_.resize(cell.size() * stored);
      narrow(column_, cell.bytes(), cell.size(), narrow_.data());
      content_.content.append(narrow_.data(), narrow_.size());
    }
    entries_ += static_cast<int64_t>(cell.size()) / column_.entry_numbers();
  }

  int64_t entries() const { return entries_; }  // so far
  ShardColumn& content() { return content_; }

 private:
  Column column_;
  ShardColumn content_;
  int64_t entries_ = 0;
  std::vector<std::byte> narrow_;  // reused
};

// How many entries each sample has along one axis.
struct SpooledAxis {
  SpooledAxis(const std::string& axis, size_t column_, const std::string& directory, FileOps& files)
      : column(column_), offsets(axis + format::kOffsetsEnding, StoredElement::int64, directory, files) {
    append(0);
  }
  void append(int64_t end) { offsets.content.append(&end, sizeof end); }

  size_t column;  // the first along this axis
  ShardColumn offsets;
};

}  // namespace

struct ShardWriter::State {
  State(const std::string& path_, const ShardInfo& info_, FileOps& files_)
      : path(path_),
        info(info_),
        files(files_),
        weights(format::kWeights, StoredElement::float32, directory_of(path), files),
        rows(format::kRows, StoredElement::int64, directory_of(path), files) {
    for (const Column& column : info.schema.columns) {
      assert(is_name_free(column.name) && info.schema.find(column.name) == &column && column.entry_numbers() > 0);
      columns.emplace_back(column, directory_of(path), files);
      bounds.push_back(column.bound);
    }
    for (const std::string& axis : info.schema.axes()) {
      const auto first = std::ranges::find(info.schema.columns, axis, &Column::axis);
      axes.emplace_back(axis, static_cast<size_t>(first - info.schema.columns.begin()), directory_of(path), files);
    }
  }

  std::vector<ShardColumn*> datasets() {
    std::vector<ShardColumn*> kept;
    for (SpooledColumn& column : columns) kept.push_back(&column.content());
    for (SpooledAxis& axis : axes) kept.push_back(&axis.offsets);
    if (info.has_weights) kept.push_back(&weights);
    if (num_rows != num_samples || !rows_are_samples) kept.push_back(&rows);
    return kept;
  }

  PlannedAttributes attributes() const;

  std::string path;
  ShardInfo info;
  FileOps& files;
  std::deque<SpooledColumn> columns;
  std::deque<SpooledAxis> axes;
  ShardColumn weights, rows;
  std::vector<int64_t> bounds;
  int64_t num_samples = 0, num_rows = 0;
  bool rows_are_samples = true;  // row i is sample i's
  ContentHash hash;
};

PlannedAttributes ShardWriter::State::attributes() const {
  StringList names, numbers, along, roles, paths, hashes;
  for (const Column& column : info.schema.columns) {
    names.push_back(column.name);
    numbers.emplace_back(name_of(column.number));
    along.push_back(column.axis);
    roles.emplace_back(name_of(column.role));
  }
  for (const auto& [source, sha256] : info.sources) {
    paths.push_back(source);
    hashes.push_back(sha256);
  }
  PlannedAttributes out;
  out.texts = {{format::kFormat, format::kName},
               {format::kKind, info.kind},
               {format::kTask, info.task},
               {format::kTokenizer, info.tokenizer_sha256},
               {format::kCommand, info.creation_command}};
  for (const auto& [name, text] : info.notes) out.texts.emplace_back(name, text);
  out.integers = {{format::kVersionAttribute, format::kVersion},
                  {format::kNumSamples, num_samples},
                  {format::kNumRows, num_rows},
                  {format::kMaxLength, info.max_length},
                  {format::kContentHash, static_cast<int64_t>(hash.value())}};
  out.lists = {
      {format::kColumns, names},     {format::kNumbers, numbers},         {format::kAxes, along},
      {format::kRoles, roles},       {format::kUnits, info.schema.units}, {format::kLabelNames, info.label_names},
      {format::kSourceFiles, paths}, {format::kSourceHashes, hashes}};
  out.integer_lists = {{format::kBounds, bounds}};
  return out;
}

ShardWriter::ShardWriter(const std::string& path, const ShardInfo& info, FileOps& files)
    : state_(std::make_unique<State>(path, info, files)) {
  for (const std::string& name : info.label_names) assert(name.empty() || name.back() != '\0');
}

ShardWriter::~ShardWriter() = default;

int64_t ShardWriter::num_samples() const { return state_->num_samples; }

int64_t ShardWriter::bytes() const {
  int64_t bytes = 0;
  for (const ShardColumn* dataset : state_->datasets()) bytes += dataset->content.bytes();
  return bytes;
}

void ShardWriter::append(const Sample& sample) {
  State& s = *state_;
  const std::vector<Column>& columns = s.info.schema.columns;
  assert(is_whole(sample, s.info.schema, s.info.max_length));
  assert(sample.row >= std::max<int64_t>(s.num_rows - 1, 0));
  for (size_t c = 0; c < columns.size(); ++c) {
    s.columns[c].append(sample.cells[c]);
    if (is_measured(columns[c])) s.bounds[c] = std::max(s.bounds[c], bound_of(sample.cells[c]));
  }
  for (SpooledAxis& axis : s.axes) axis.append(s.columns[axis.column].entries());
  s.weights.content.append(&sample.weight, sizeof sample.weight);
  s.rows.content.append(&sample.row, sizeof sample.row);
  s.rows_are_samples = s.rows_are_samples && sample.row == s.num_samples;
  s.num_rows = sample.row + 1;
  s.hash.add(s.info.schema, sample.cells, s.info.has_weights ? std::optional(sample.weight) : std::nullopt);
  ++s.num_samples;
}

void ShardWriter::finish(int64_t num_rows) {
  State& s = *state_;
  assert(num_rows == 0 || num_rows >= s.num_rows);
  s.num_rows = std::max(s.num_rows, num_rows);
  write_shard_file(s.path, s.datasets(), s.attributes(), s.files);
}

}  // namespace sft
