#include "data/loading/batch_reader.h"

#include <cassert>
#include <numeric>

namespace sft {
namespace {

constexpr size_t kAhead = 8;  // samples: a miss takes about as long as reading this many that are in the caches

}  // namespace

Batch BatchReader::read(const std::vector<Item>& items, int64_t first_draw) {
  Batch batch;
  if (dataset_.info().height > 0) {
    read_images(items, first_draw, batch);
  } else {
    read_texts(items, first_draw, batch);
  }
  return batch;
}

void BatchReader::read_texts(const std::vector<Item>& items, int64_t first_draw, Batch& batch) {
  size_t tokens = 0;
  for (const Item& item : items) tokens += static_cast<size_t>(item.length);
  PackedText& text = batch.text();
  text.tokens.reserve(tokens);
  text.segments.reserve(tokens);
  text.positions.resize(tokens);
  text.offsets.reserve(items.size() + 1);
  text.offsets.push_back(0);
  for (size_t i = 0; i < items.size(); ++i) {
    if (i + kAhead < items.size()) dataset_.expect(items[i + kAhead].index, Dataset::Soon::read);
    const Item& item = items[i];
    dataset_.read(item.index, example_);
    const size_t length = example_.tokens.size();
    assert(static_cast<int64_t>(length) == item.length);
    const auto start = text.positions.begin() + static_cast<std::ptrdiff_t>(text.tokens.size());
    std::iota(start, start + static_cast<std::ptrdiff_t>(length), int64_t{0});
    text.tokens.insert(text.tokens.end(), example_.tokens.begin(), example_.tokens.end());
    if (example_.segments.empty()) {
      text.segments.resize(text.tokens.size(), 0);
    } else {
      text.segments.insert(text.segments.end(), example_.segments.begin(), example_.segments.end());
    }
    text.offsets.push_back(static_cast<int64_t>(text.tokens.size()));
    take_target(item, first_draw, batch);
  }
}

void BatchReader::read_images(const std::vector<Item>& items, int64_t first_draw, Batch& batch) {
  const DatasetInfo& info = dataset_.info();
  Images images{info.height, info.width, info.channels, {}};
  images.pixels.reserve(items.size() * static_cast<size_t>(info.height * info.width * info.channels));
  for (const Item& item : items) {
    dataset_.read(item.index, example_);
    if (augmentation_.changes())
      augment(example_.pixels, info.height, info.width, augmentation_, first_draw + item.position);
    images.pixels.insert(images.pixels.end(), example_.pixels.begin(), example_.pixels.end());
    take_target(item, first_draw, batch);
  }
  batch.input = std::move(images);
}

void BatchReader::take_target(const Item& item, int64_t first_draw, Batch& batch) {
  append_target(batch);
  batch.weights.push_back(example_.weight);
  batch.ids.push_back(item.index);
  batch.draws.push_back(first_draw + item.position);
}

void BatchReader::append_target(Batch& batch) const {
  switch (dataset_.info().target) {
    case TargetForm::label:
      batch.labels.push_back(example_.label);
      break;
    case TargetForm::label_set:
    case TargetForm::values:
      batch.values.insert(batch.values.end(), example_.values.begin(), example_.values.end());
      break;
    case TargetForm::token_labels:
      assert(example_.token_labels.size() == example_.tokens.size());
      batch.labels.insert(batch.labels.end(), example_.token_labels.begin(), example_.token_labels.end());
      break;
  }
}

}  // namespace sft
