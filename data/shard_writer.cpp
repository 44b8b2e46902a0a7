#include "data/shard_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "data/content_hash.h"
#include "data/format.h"
#include "data/hdf5/descriptor.h"
#include "data/shard_layout.h"
#include "data/spool.h"
#include "data/target_form.h"

namespace sft {
namespace {

std::string directory_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

using Range = std::pair<int64_t, int64_t>;  // begin, end

// The file that HDF5 has laid out.
class Layout {
 public:
  explicit Layout(const std::string& path) : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (::fstat(file_.get(), &status) < 0) fail(errno);
    bytes_ = status.st_size;
  }
  int64_t bytes() const { return bytes_; }

  std::vector<char> read(int64_t offset, int64_t size) const {
    std::vector<char> content(static_cast<size_t>(size));
    for (size_t done = 0; done < content.size();) {
      const ssize_t got =
          ::pread(file_.get(), content.data() + done, content.size() - done, offset + static_cast<int64_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) fail(got < 0 ? errno : EIO);
      done += static_cast<size_t>(got);
    }
    return content;
  }

 private:
  [[noreturn]] void fail(int number) const {
    throw StorageError(concat("cannot read back ", quoted(path_, 400), ": ", std::strerror(number)));
  }
  std::string path_;
  Descriptor file_;
  int64_t bytes_ = 0;
};

// The file to be, closed also on the way out of a failure.
class Output {
 public:
  Output(FileOps& files, const std::string& path, int64_t bytes)
      : files_(files), path_(path), descriptor_(files.create(path, bytes)) {}
  ~Output() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  int descriptor() const { return descriptor_; }
  void write(const void* data, size_t size, int64_t offset) {
    if (size > 0) files_.write(descriptor_, data, size, offset, path_);
  }
  void finish() {
    files_.sync(descriptor_, path_);
    files_.close(std::exchange(descriptor_, -1), path_);
  }

 private:
  FileOps& files_;
  std::string path_;
  int descriptor_;
};

struct Column {
  Column(const char* name_, StoredElement element_, const std::string& directory, FileOps& files, int64_t columns_ = 0)
      : name(name_), element(element_), columns(columns_), content(directory, files) {}
  const char* name;
  StoredElement element;
  int64_t columns;  // 0: a vector
  Spool content;
};

StoredElement element_of(TargetForm form) {
  switch (form) {
    case TargetForm::label:
      return StoredElement::int64;
    case TargetForm::label_set:
      return StoredElement::uint8;
    case TargetForm::values:
      return StoredElement::float32;
    case TargetForm::token_labels:
      break;
  }
  return StoredElement::int32;
}

}  // namespace

struct ShardWriter::State {
  State(const std::string& path_, const ShardInfo& info_, FileOps& files_)
      : path(path_),
        directory(directory_of(path_)),
        info(info_),
        files(files_),
        small(info_.vocab_size < format::kSmallVocabulary),
        tokens(format::kTokens, small ? StoredElement::uint16 : StoredElement::int32, directory, files),
        offsets(format::kOffsets, StoredElement::int64, directory, files),
        segments(format::kSegments, StoredElement::uint8, directory, files),
        labels(format::kLabels, element_of(info_.target), directory, files, info_.num_targets),
        weights(format::kWeights, StoredElement::float32, directory, files) {}

  std::vector<Column*> columns() {  // in the order of format::kCovered
    std::vector<Column*> kept = {&tokens, &offsets};
    if (info.has_segments) kept.push_back(&segments);
    kept.push_back(&labels);
    if (info.has_weights) kept.push_back(&weights);
    return kept;
  }

  PlannedAttributes attributes() const {
    PlannedAttributes out;
    out.texts = {{format::kFormat, format::kName},
                 {format::kKind, info.kind},
                 {format::kTask, info.task},
                 {format::kTarget, name_of(info.target)},
                 {format::kTokenizer, info.tokenizer_sha256},
                 {format::kCommand, info.creation_command}};
    out.integers = {{format::kVersionAttribute, format::kVersion},
                    {format::kNumSamples, num_samples},
                    {format::kMaxLength, info.max_length},
                    {format::kVocabSize, info.vocab_size},
                    {format::kNumLabels, num_labels},
                    {format::kContentHash, static_cast<int64_t>(hash.value())}};
    std::vector<std::string> paths, hashes;
    for (const auto& [source, sha256] : info.sources) {
      paths.push_back(source);
      hashes.push_back(sha256);
    }
    out.lists = {
        {format::kLabelNames, info.label_names}, {format::kSourceFiles, paths}, {format::kSourceHashes, hashes}};
    return out;
  }

  void append_target(const Example& example);
  void write(const std::string& temporary, const std::string& layout_path);

  std::string path, directory;
  ShardInfo info;
  FileOps& files;
  bool small;
  Column tokens, offsets, segments, labels, weights;
  int64_t num_samples = 0, num_tokens = 0, num_labels = 0;
  ContentHash hash;
  std::vector<uint16_t> narrow;  // reused
  std::vector<uint8_t> zeros, flags;
};

ShardWriter::ShardWriter(const std::string& path, const ShardInfo& info, FileOps& files)
    : state_(std::make_unique<State>(path, info, files)) {
  for (const std::string& name : info.label_names) assert(name.empty() || name.back() != '\0');
  const bool has_width = info.target == TargetForm::label_set || info.target == TargetForm::values;
  assert(has_width ? info.num_targets > 0 : info.num_targets == 0);
  state_->num_labels = std::max(static_cast<int64_t>(info.label_names.size()), info.num_targets);
  const int64_t start = 0;
  state_->offsets.content.append(&start, sizeof start);
}

ShardWriter::~ShardWriter() = default;

int64_t ShardWriter::num_samples() const { return state_->num_samples; }

int64_t ShardWriter::bytes() const {
  int64_t bytes = 0;
  for (const Column* column : state_->columns()) bytes += column->content.bytes();
  return bytes;
}

void ShardWriter::append(const Example& example) {
  State& s = *state_;
  const size_t length = example.tokens.size();
  assert(length > 0 && static_cast<int64_t>(length) <= s.info.max_length);
  for (const int32_t token : example.tokens) assert(token >= 0 && token < s.info.vocab_size);

  if (s.small) {
    s.narrow.assign(example.tokens.begin(), example.tokens.end());
    s.tokens.content.append(s.narrow.data(), length * sizeof(uint16_t));
  } else {
    s.tokens.content.append(example.tokens.data(), length * sizeof(int32_t));
  }
  s.num_tokens += static_cast<int64_t>(length);
  s.offsets.content.append(&s.num_tokens, sizeof s.num_tokens);
  if (s.info.has_segments) {
    assert(example.segments.empty() || example.segments.size() == length);
    s.zeros.resize(length);
    s.segments.content.append(example.segments.empty() ? s.zeros.data() : example.segments.data(), length);
  }
  s.append_target(example);
  if (s.info.has_weights) s.weights.content.append(&example.weight, sizeof example.weight);

  s.hash.add(example, s.info.target, s.info.has_segments, s.info.has_weights);
  ++s.num_samples;
}

void ShardWriter::State::append_target(const Example& example) {
  const auto count = [&](int64_t label) {
    assert(info.label_names.empty() || label < num_labels);
    num_labels = std::max(num_labels, label + 1);
  };
  switch (info.target) {
    case TargetForm::label:
      assert(example.label >= 0);
      count(example.label);
      return labels.content.append(&example.label, sizeof example.label);
    case TargetForm::label_set:
      assert(static_cast<int64_t>(example.values.size()) == info.num_targets);
      flags.clear();
      for (const float value : example.values) {
        assert(value == 0.0f || value == 1.0f);
        flags.push_back(value != 0.0f);
      }
      return labels.content.append(flags.data(), flags.size());
    case TargetForm::values:
      assert(static_cast<int64_t>(example.values.size()) == info.num_targets);
      for (const float value : example.values) assert(std::isfinite(value));
      return labels.content.append(example.values.data(), example.values.size() * sizeof(float));
    case TargetForm::token_labels:
      assert(example.token_labels.size() == example.tokens.size());
      for (const int32_t label : example.token_labels) {
        assert(label >= 0 || label == -100);
        count(label);
      }
      return labels.content.append(example.token_labels.data(), example.token_labels.size() * sizeof(int32_t));
  }
}

void ShardWriter::finish() {
  State& s = *state_;
  const std::string temporary = s.path + ".tmp", layout = s.path + ".layout.tmp";
  const auto discard = [&] {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    std::filesystem::remove(layout, ignored);
  };
  discard();  // what a process that was killed has left
  try {
    s.write(temporary, layout);
    s.files.rename(temporary, s.path);
  } catch (...) {
    discard();
    throw;
  }
  discard();
  s.files.sync_directory(s.directory);
}

// HDF5 decides in a file of holes where everything lies; then all bytes, its own and ours, go through FileOps, so
// that no failure of the disk is missed.
void ShardWriter::State::write(const std::string& temporary, const std::string& layout_path) {
  std::vector<uint32_t> checksums;
  std::vector<PlannedDataset> planned;
  const std::vector<Column*> kept = columns();
  for (Column* column : kept) {
    const std::vector<uint32_t>& blocks = column->content.finish();
    checksums.insert(checksums.end(), blocks.begin(), blocks.end());
    planned.push_back(
        {column->name, column->element, column->content.bytes() / stored_bytes(column->element), column->columns, 0});
  }
  planned.push_back({format::kChecksums, StoredElement::uint32, static_cast<int64_t>(checksums.size()), 0, 0});
  lay_out(layout_path, planned, attributes());
  const Layout layout(layout_path);

  Output output(files, temporary, layout.bytes());
  std::vector<Range> content;
  for (size_t i = 0; i < planned.size(); ++i) {
    const PlannedDataset& dataset = planned[i];
    if (dataset.count == 0) continue;
    content.push_back({dataset.offset, dataset.offset + dataset.count * stored_bytes(dataset.element)});
    if (i < kept.size()) {
      kept[i]->content.copy_to(output.descriptor(), dataset.offset, temporary);
    } else {
      output.write(checksums.data(), checksums.size() * sizeof(uint32_t), dataset.offset);
    }
  }
  std::sort(content.begin(), content.end());
  content.push_back({layout.bytes(), layout.bytes()});
  int64_t done = 0;
  for (const auto& [begin, end] : content) {  // what HDF5 wrote lies between
    const std::vector<char> metadata = layout.read(done, begin - done);
    output.write(metadata.data(), metadata.size(), done);
    done = end;
  }
  output.finish();
}

}  // namespace sft
