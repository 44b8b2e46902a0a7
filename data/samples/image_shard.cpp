#include "data/samples/image_shard.h"

#include <cassert>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/format.h"
#include "data/hdf5/shard_reading.h"
#include "data/samples/csr_shard.h"

namespace sft {
namespace {

int64_t image_bytes(const DatasetInfo& info) { return info.height * info.width * info.channels; }

}  // namespace

bool is_image_shard(const GuardedFile& file) {
  const hdf5::Attribute* kind = file.layout.attribute(format::kKind);
  return is_shard(file) && kind != nullptr && kind->texts == std::vector<std::string>{format::kImageKind};
}

ImageShard::ImageShard(std::shared_ptr<const GuardedFile> file) : file_(std::move(file)) {
  const ShardAttributes attributes(*file_);
  attributes.require_version();
  info_.num_samples = attributes.integer(format::kNumSamples, 0);
  info_.num_labels = attributes.integer(format::kNumLabels, 0);
  info_.label_names = attributes.texts(format::kLabelNames);
  info_.max_length = 1;
  content_hash_ = ContentHash(static_cast<uint64_t>(attributes.integer(format::kContentHash, 0)), info_.num_samples);

  const hdf5::DatasetLayout& pixels = file_->dataset(format::kPixels);
  if (pixels.type.name != "uint8" || pixels.shape.size() != 4 || pixels.shape[0] != info_.num_samples ||
      pixels.shape[3] != kChannels || pixels.shape[1] < 1 || pixels.shape[2] < 1)
    throw DataError(concat(file_->name_of(format::kPixels), ": is ", pixels.type.name, " ",
                           hdf5::shape_text(pixels.shape), ", and uint8 [", info_.num_samples,
                           ", height, width, 3] belongs there"));
  info_.height = pixels.shape[1];
  info_.width = pixels.shape[2];
  info_.channels = pixels.shape[3];
  const hdf5::DatasetLayout& labels = vector_of(*file_, format::kLabels, info_.num_samples, {"int64"});
  std::vector<std::unique_ptr<hdf5::Bytes>> content = open_covered(file_, {&pixels, &labels});
  pixels_ = std::move(content[0]);
  labels_ = std::move(content[1]);
  info_.fingerprint = fingerprint(kind(), content_hash_, info_.num_samples, num_units());
}

int64_t ImageShard::label(int64_t i) const {
  int64_t label = 0;
  labels_->read(i * int64_t{sizeof label}, sizeof label, reinterpret_cast<std::byte*>(&label));
  if (label < 0 || label >= info_.num_labels)
    throw DataError(concat(file_->name_of(format::kLabels), ", sample ", i, ": label ", label, " is outside 0 … ",
                           info_.num_labels - 1));
  return label;
}

void ImageShard::read(int64_t i, Example& out) const {
  assert(i >= 0 && i < info_.num_samples);
  const int64_t bytes = image_bytes(info_);
  out.tokens.clear();
  out.segments.clear();
  out.pixels.resize(static_cast<size_t>(bytes));
  pixels_->read(i * bytes, bytes, reinterpret_cast<std::byte*>(out.pixels.data()));
  out.label = label(i);
  out.weight = 1.0f;
  bytes_read_.fetch_add(bytes + int64_t{sizeof out.label}, std::memory_order_relaxed);
}

void verify(const ImageShard& shard) {
  ContentHash hash;
  Example example;
  for (int64_t i = 0; i < shard.size(); ++i) {
    shard.read(i, example);
    hash.add_image(example.pixels, example.label);
  }
  if (hash.value() != shard.content_hash().value())
    throw DataError(
        concat(in_quotes(shard.path(), 400), ", attribute 'content_hash': the images are not those that were written"));
}

}  // namespace sft
