#include <algorithm>
#include <cassert>

#include "data/hdf5/format.h"
#include "data/hdf5/shard_file.h"
#include "data/samples/image_shard.h"

namespace sft {

struct ImageShardWriter::State {
  State(const std::string& path_, const ImageShardInfo& info_, FileOps& files_)
      : path(path_),
        info(info_),
        files(files_),
        pixels(format::kPixels, StoredElement::uint8, directory_of(path_), files_),
        labels(format::kLabels, StoredElement::int64, directory_of(path_), files_) {}

  PlannedAttributes attributes() const {
    PlannedAttributes out;
    out.texts = {{format::kFormat, format::kName},
                 {format::kKind, format::kImageKind},
                 {format::kTask, info.task},
                 {format::kCommand, info.creation_command}};
    out.integers = {{format::kVersionAttribute, format::kVersion},
                    {format::kNumSamples, num_samples},
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

  std::string path;
  ImageShardInfo info;
  FileOps& files;
  ShardColumn pixels, labels;
  int64_t num_samples = 0, num_labels = 0;
  ContentHash hash;
};

ImageShardWriter::ImageShardWriter(const std::string& path, const ImageShardInfo& info, FileOps& files)
    : state_(std::make_unique<State>(path, info, files)) {
  state_->num_labels = static_cast<int64_t>(info.label_names.size());
}

ImageShardWriter::~ImageShardWriter() = default;

void ImageShardWriter::append(const Image& image, int64_t label) {
  State& s = *state_;
  const std::vector<int64_t> row = {image.height, image.width, kChannels};
  if (s.num_samples == 0) s.pixels.row = row;
  assert(s.pixels.row == row && label >= 0);
  s.pixels.content.append(image.pixels.data(), image.pixels.size());
  s.labels.content.append(&label, sizeof label);
  s.hash.add_image(image.pixels, label);
  s.num_labels = std::max(s.num_labels, label + 1);
  ++s.num_samples;
}

void ImageShardWriter::finish() {
  State& s = *state_;
  write_shard_file(s.path, {&s.pixels, &s.labels}, s.attributes(), s.files);
}

}  // namespace sft
