#include "data/samples/csr_shard.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iomanip>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/format.h"
#include "data/hdf5/shard_reading.h"
#include "data/readers/target_form.h"

namespace sft {
namespace {

using hdf5::Bytes;
using hdf5::DatasetLayout;

// Shards that were written when a label was all there was do not say it.
TargetForm target_of(const GuardedFile& file, const ShardAttributes& attributes) {
  if (file.layout.attribute(format::kTarget) == nullptr) return TargetForm::label;
  const std::string name = attributes.text(format::kTarget);
  const std::optional<TargetForm> form = target_form_named(name);
  if (!form)
    throw DataError(concat(in_quotes(file.path, 400), ", attribute ", in_quotes(format::kTarget), ": is ",
                           in_quotes(name), ", which is not known"));
  return *form;
}

const DatasetLayout& matrix_of(const GuardedFile& file, const char* name, const std::vector<int64_t>& shape,
                               const char* type) {
  const DatasetLayout& found = file.dataset(name);
  if (found.type.name != type)
    throw DataError(concat(file.name_of(name), ": is ", found.type.name, ", and ", type, " is read"));
  if (found.shape != shape)
    throw DataError(concat(file.name_of(name), ": its shape is ", hdf5::shape_text(found.shape), ", and ",
                           hdf5::shape_text(shape), " belongs there"));
  return found;
}

const DatasetLayout& labels_of(const GuardedFile& file, const DatasetInfo& info, int64_t num_tokens) {
  switch (info.target) {
    case TargetForm::label:
      return vector_of(file, format::kLabels, info.num_samples, {"int64"});
    case TargetForm::label_set:
      return matrix_of(file, format::kLabels, {info.num_samples, info.num_labels}, "uint8");
    case TargetForm::values:
      return matrix_of(file, format::kLabels, {info.num_samples, info.num_labels}, "float32");
    case TargetForm::token_labels:
      break;
  }
  return vector_of(file, format::kLabels, num_tokens, {"int32"});
}

// Bytes of the target of a sample without tokens, and of one more token.
std::pair<int64_t, int64_t> target_bytes(const DatasetInfo& info) {
  switch (info.target) {
    case TargetForm::label:
      return {sizeof(int64_t), 0};
    case TargetForm::label_set:
      return {info.num_labels, 0};
    case TargetForm::values:
      return {info.num_labels * int64_t{sizeof(float)}, 0};
    case TargetForm::token_labels:
      break;
  }
  return {0, sizeof(int32_t)};
}

template <class T>
T element(const Bytes& content, int64_t i) {
  T value;
  content.read(i * int64_t{sizeof(T)}, sizeof(T), reinterpret_cast<std::byte*>(&value));
  return value;
}

}  // namespace

bool is_shard(const GuardedFile& file) {
  const hdf5::Attribute* name = file.layout.attribute(format::kFormat);
  return name != nullptr && name->texts == std::vector<std::string>{format::kName};
}

std::string fingerprint(const char* kind, const ContentHash& hash, int64_t num_samples, int64_t num_units) {
  return concat(kind, "-", num_samples, "-", num_units, "-", std::hex, std::setw(16), std::setfill('0'), hash.value());
}

CsrShard::CsrShard(std::shared_ptr<const GuardedFile> file) : file_(std::move(file)) {
  const ShardAttributes attributes(*file_);
  attributes.require_version();
  info_.num_samples = attributes.integer(format::kNumSamples, 0);
  info_.max_length = attributes.integer(format::kMaxLength, 1);
  info_.vocab_size = attributes.integer(format::kVocabSize, 1);
  info_.target = target_of(*file_, attributes);
  const bool has_width = info_.target == TargetForm::label_set || info_.target == TargetForm::values;
  info_.num_labels = attributes.integer(format::kNumLabels, has_width ? 1 : 0);
  info_.tokenizer_sha256 = attributes.text(format::kTokenizer);
  info_.label_names = attributes.texts(format::kLabelNames);
  content_hash_ = ContentHash(static_cast<uint64_t>(attributes.integer(format::kContentHash, 0)), info_.num_samples);
  info_.has_segments = file_->layout.dataset(format::kSegments) != nullptr;
  info_.has_weights = file_->layout.dataset(format::kWeights) != nullptr;

  std::vector<const DatasetLayout*> covered;  // in the order of format::kCovered
  covered.push_back(&vector_of(*file_, format::kTokens, -1, {"uint16", "int32"}));
  num_tokens_ = covered[0]->shape[0];
  small_tokens_ = covered[0]->type.bytes == 2;
  covered.push_back(&vector_of(*file_, format::kOffsets, info_.num_samples + 1, {"int64"}));
  if (info_.has_segments) covered.push_back(&vector_of(*file_, format::kSegments, num_tokens_, {"uint8"}));
  covered.push_back(&labels_of(*file_, info_, num_tokens_));
  if (info_.has_weights) covered.push_back(&vector_of(*file_, format::kWeights, info_.num_samples, {"float32"}));

  std::vector<std::unique_ptr<Bytes>> content = open_covered(file_, covered);
  size_t at = 0;
  tokens_ = std::move(content[at++]);
  offsets_ = std::move(content[at++]);
  if (info_.has_segments) segments_ = std::move(content[at++]);
  labels_ = std::move(content[at++]);
  if (info_.has_weights) weights_ = std::move(content[at++]);

  const auto [of_sample, of_token] = target_bytes(info_);
  bytes_per_token_ = covered[0]->type.bytes + (info_.has_segments ? 1 : 0) + of_token;
  bytes_per_sample_ = of_sample + (info_.has_weights ? int64_t{sizeof(float)} : 0);
  info_.fingerprint = fingerprint(kind(), content_hash_, info_.num_samples, num_tokens_);
}

CsrShard::Range CsrShard::range_of(int64_t i) const {
  assert(i >= 0 && i < info_.num_samples);
  int64_t ends[2];
  offsets_->read(i * int64_t{sizeof(int64_t)}, sizeof ends, reinterpret_cast<std::byte*>(ends));
  if (ends[0] < 0 || ends[1] <= ends[0] || ends[1] > num_tokens_ || ends[1] - ends[0] > info_.max_length)
    refuse(i, format::kOffsets,
           concat("it has the tokens from ", ends[0], " to ", ends[1], " of ", num_tokens_, ", and 1 to ",
                  info_.max_length, " of them belong to a sample"));
  return {ends[0], ends[1] - ends[0]};
}

int64_t CsrShard::length(int64_t i) const { return range_of(i).count; }

int64_t CsrShard::label(int64_t i) const {
  const auto label = element<int64_t>(*labels_, i);
  if (label < 0 || label >= info_.num_labels)
    refuse(i, format::kLabels, concat("label ", label, " is outside 0 … ", info_.num_labels - 1));
  return label;
}

float CsrShard::weight(int64_t i) const {
  const float weight = weights_ ? element<float>(*weights_, i) : 1.0f;
  if (!(weight >= 0.0f) || std::isinf(weight))
    refuse(i, format::kWeights, concat("weight ", weight, " is not a finite number at or above 0"));
  return weight;
}

void CsrShard::read(int64_t i, Example& out) const {
  const Range range = range_of(i);
  read_tokens(range, out.tokens);
  // One comparison each, without a branch: the compiler makes it vectors.
  uint32_t largest = 0;
  for (const int32_t token : out.tokens) largest = std::max(largest, static_cast<uint32_t>(token));
  if (largest >= info_.vocab_size)
    refuse(i, format::kTokens,
           concat("token ", static_cast<int32_t>(largest), " is outside the vocabulary of ", info_.vocab_size));

  out.segments.clear();
  if (segments_) {
    out.segments.resize(static_cast<size_t>(range.count));
    segments_->read(range.first, range.count, reinterpret_cast<std::byte*>(out.segments.data()));
  }
  read_target(i, range, out);
  out.weight = weight(i);
  bytes_read_.fetch_add(range.count * bytes_per_token_ + bytes_per_sample_, std::memory_order_relaxed);
}

void CsrShard::expect(int64_t i, Soon what) const {
  if (!offsets_->is_in_memory()) return;
  if (what == Soon::length) return offsets_->expect(i * int64_t{sizeof(int64_t)}, 2 * sizeof(int64_t));
  const Range range = range_of(i);
  const int64_t token_bytes = small_tokens_ ? sizeof(uint16_t) : sizeof(int32_t);
  tokens_->expect(range.first * token_bytes, range.count * token_bytes);
  if (segments_) segments_->expect(range.first, range.count);
  const auto [of_sample, of_token] = target_bytes(info_);
  labels_->expect(i * of_sample + range.first * of_token, of_sample + range.count * of_token);
  if (weights_) weights_->expect(i * int64_t{sizeof(float)}, sizeof(float));
}

void CsrShard::read_target(int64_t i, const Range& range, Example& out) const {
  const auto outside = [&](int64_t label) {
    refuse(i, format::kLabels, concat("label ", label, " is outside 0 … ", info_.num_labels - 1));
  };
  const int64_t width = info_.num_labels;
  switch (info_.target) {
    case TargetForm::label:
      out.label = label(i);
      break;
    case TargetForm::label_set: {
      thread_local std::vector<uint8_t> flags;
      flags.resize(static_cast<size_t>(width));
      labels_->read(i * width, width, reinterpret_cast<std::byte*>(flags.data()));
      for (const uint8_t flag : flags)
        if (flag > 1) refuse(i, format::kLabels, concat(int{flag}, " is neither 0 nor 1"));
      out.values.assign(flags.begin(), flags.end());
      break;
    }
    case TargetForm::values:
      out.values.resize(static_cast<size_t>(width));
      labels_->read(i * width * int64_t{sizeof(float)}, width * int64_t{sizeof(float)},
                    reinterpret_cast<std::byte*>(out.values.data()));
      for (const float value : out.values)
        if (!std::isfinite(value)) refuse(i, format::kLabels, concat(value, " is not a finite number"));
      break;
    case TargetForm::token_labels:
      out.token_labels.resize(static_cast<size_t>(range.count));
      labels_->read(range.first * int64_t{sizeof(int32_t)}, range.count * int64_t{sizeof(int32_t)},
                    reinterpret_cast<std::byte*>(out.token_labels.data()));
      for (const int32_t label : out.token_labels)
        if (label != -100 && (label < 0 || label >= width)) outside(label);
      break;
  }
}

void CsrShard::read_tokens(const Range& range, std::vector<int32_t>& out) const {
  out.resize(static_cast<size_t>(range.count));
  if (!small_tokens_) {
    tokens_->read(range.first * int64_t{sizeof(int32_t)}, range.count * int64_t{sizeof(int32_t)},
                  reinterpret_cast<std::byte*>(out.data()));
    return;
  }
  uint16_t piece[512];
  for (int64_t done = 0; done < range.count;) {
    const int64_t now = std::min<int64_t>(std::size(piece), range.count - done);
    tokens_->read((range.first + done) * int64_t{sizeof(uint16_t)}, now * int64_t{sizeof(uint16_t)},
                  reinterpret_cast<std::byte*>(piece));
    std::copy(piece, piece + now, out.begin() + done);
    done += now;
  }
}

void CsrShard::refuse(int64_t i, const char* dataset, const std::string& why) const {
  throw DataError(concat(file_->name_of(dataset), ", sample ", i, ": ", why));
}

void verify(const CsrShard& shard) {
  ContentHash hash;
  Example example;
  int64_t tokens = 0;
  for (int64_t i = 0; i < shard.size(); ++i) {
    shard.read(i, example);
    hash.add(example, shard.info().target, shard.info().has_segments, shard.info().has_weights);
    tokens += static_cast<int64_t>(example.tokens.size());
  }
  if (tokens != shard.num_units())
    throw DataError(concat(in_quotes(shard.path(), 400), ", dataset 'offsets': samples cover ", tokens, " of ",
                           shard.num_units(), " tokens"));
  if (hash.value() != shard.content_hash().value())
    throw DataError(concat(in_quotes(shard.path(), 400),
                           ", attribute 'content_hash': the samples are not those that were written"));
}

}  // namespace sft
