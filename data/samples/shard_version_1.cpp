// Shards as they were before they named their columns: texts and pictures.
#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/format.h"
#include "data/hdf5/shard_reading.h"
#include "data/samples/shard_form.h"

namespace sft {
namespace {

constexpr char kTarget[] = "target", kNumLabels[] = "num_labels", kOffsets[] = "offsets";

// Shards that were written when a label was all there was do not say it.
Column target_of(const GuardedFile& file, const ShardAttributes& attributes) {
  const std::string target = file.layout.attribute(kTarget) == nullptr ? "label" : attributes.text(kTarget);
  const auto width = [&] { return attributes.integer(kNumLabels, 1); };
  const auto labels = [&] { return attributes.integer(kNumLabels, 0); };
  if (target == "label") return {.name = "labels", .bound = labels(), .role = Role::target};
  if (target == "label_set")
    return {.name = "labels", .number = Number::float32, .shape = {width()}, .bound = 2, .role = Role::target};
  if (target == "values")
    return {.name = "values", .number = Number::float32, .shape = {width()}, .role = Role::target};
  if (target == "token_labels")
    return {.name = "labels", .number = Number::int32, .axis = "token", .bound = labels(), .role = Role::target};
  throw DataError(concat(in_quotes(file.path, 400), ", attribute ", in_quotes(kTarget), ": is ", in_quotes(target),
                         ", which is not known"));
}

void read_text(const GuardedFile& file, const ShardAttributes& attributes, ShardForm& form) {
  form.schema.units = {"token"};
  form.schema.columns = {
      {.name = "tokens", .number = Number::int32, .axis = "token", .bound = attributes.integer("vocab_size", 1)},
      target_of(file, attributes)};
  form.datasets = {"tokens", "labels"};
  form.offsets = {kOffsets};
  form.covered = {"tokens", kOffsets, "labels"};
  form.max_length = attributes.integer(format::kMaxLength, 1);
  form.tokenizer_sha256 = attributes.text(format::kTokenizer);
  if (file.layout.dataset("segments") != nullptr) {
    form.schema.columns.push_back({.name = "segments", .number = Number::uint8, .axis = "token"});
    form.datasets.emplace_back("segments");
    form.covered = {"tokens", kOffsets, "segments", "labels"};
  }
  form.has_weights = file.layout.dataset(format::kWeights) != nullptr;
  if (form.has_weights) form.covered.emplace_back(format::kWeights);
}

void read_image(const GuardedFile& file, const ShardAttributes& attributes, ShardForm& form) {
  const std::vector<int64_t>& shape = file.dataset("pixels").shape;
  if (shape.size() != 4 || shape[3] != 3)
    throw DataError(concat(file.name_of("pixels"), ": its shape is ", hdf5::shape_text(shape), ", and [",
                           form.num_samples, ", height, width, 3] belongs there"));
  form.schema.columns = {{.name = "pixels", .number = Number::uint8, .shape = {shape.begin() + 1, shape.end()}},
                         {.name = "labels", .bound = attributes.integer(kNumLabels, 0), .role = Role::target}};
  form.datasets = form.covered = {"pixels", "labels"};
}

}  // namespace

ShardForm form_of_version_1(const GuardedFile& file) {
  const ShardAttributes attributes(file);
  ShardForm form;
  form.num_samples = form.num_rows = attributes.integer(format::kNumSamples, 0);
  form.content_hash = static_cast<uint64_t>(attributes.integer(format::kContentHash, 0));
  form.label_names = attributes.texts(format::kLabelNames);
  const hdf5::Attribute* kind = file.layout.attribute(format::kKind);
  if (kind != nullptr && kind->texts == StringList{"image"}) {
    read_image(file, attributes, form);
  } else {
    read_text(file, attributes, form);
  }
  return form;
}

}  // namespace sft
