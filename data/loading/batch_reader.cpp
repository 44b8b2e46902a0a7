#include "data/loading/batch_reader.h"

#include <cassert>

namespace sft {
namespace {

constexpr size_t kAhead = 8;  // samples: a miss takes about as long as reading this many that are in the caches

}  // namespace

Batch BatchReader::read(const std::vector<Item>& items, int64_t first_draw) const {
  Batch batch(dataset_.schema());
  reserve(items, batch);
  for (size_t i = 0; i < items.size(); ++i) {
    if (i + kAhead < items.size()) dataset_.expect(items[i + kAhead].index, Dataset::Soon::read);
    const Item& item = items[i];
    dataset_.append(item.index, batch);
    batch.ids.push_back(item.index);
    batch.draws.push_back(first_draw + item.position);
    if (augmentation_.changes()) change_pictures(batch);
  }
  return batch;
}

// Exactly, but for entries along axes that lengths say nothing of.
void BatchReader::reserve(const std::vector<Item>& items, Batch& batch) const {
  const StringList& units = batch.schema.units;
  size_t length = 0;
  for (const Item& item : items) length += static_cast<size_t>(item.length);
  for (size_t c = 0; c < batch.columns.size(); ++c) {
    const Column& column = batch.schema.columns[c];
    const bool by_length = units.size() == 1 && column.axis == units.front();
    batch.columns[c].reserve((by_length ? length : items.size()) * static_cast<size_t>(column.entry_numbers()));
  }
  for (Offsets& axis : batch.axes) axis.reserve(items.size() + 1);
  batch.weights.reserve(items.size());
  for (std::vector<int64_t>* list : {&batch.ids, &batch.rows, &batch.draws}) list->reserve(items.size());
}

// Those of the last sample.
void BatchReader::change_pictures(Batch& batch) const {
  for (size_t c = 0; c < batch.columns.size(); ++c) {
    const Column& column = batch.schema.columns[c];
    if (!is_picture(column)) continue;
    Packed& all = batch.columns[c];
    augment(all.bytes() + all.num_bytes() - static_cast<size_t>(column.entry_bytes()), column, augmentation_,
            batch.draws.back());
  }
}

}  // namespace sft
