#include "data/samples/shard_writer.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "data/hdf5/format.h"
#include "data/hdf5/shard_file.h"
#include "data/readers/target_form.h"
#include "data/samples/content_hash.h"

namespace sft {
namespace {

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

using Column = ShardColumn;

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
  write_shard_file(s.path, s.columns(), s.attributes(), s.files);
}

}  // namespace sft
