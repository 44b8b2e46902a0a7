#include "data/loading/batch_reader.h"

#include <cassert>

namespace sft {
namespace {

constexpr size_t kAhead = 8;  // samples: a miss takes about as long as reading this many that are in the caches

}  // namespace

Batch BatchReader::read(const std::vector<Item>& items, int64_t first_draw) const {
  Batch batch(seen_);
  reserve(items, batch);
  for (size_t i = 0; i < items.size(); ++i) {
    if (i + kAhead < items.size()) dataset_.expect(items[i + kAhead].index, Dataset::Soon::read);
    const Item& item = items[i];
    batch.ids.push_back(item.index);
    batch.draws.push_back(first_draw + item.position);
    if (augmentation_.crops())
      append_cropped(item.index, batch);
    else
      dataset_.append(item.index, batch);
    if (augmentation_.changes()) change_pictures(batch);
  }
  return batch;
}

// The stored picture is larger than what is seen of it, so it is read to another place first.
void BatchReader::append_cropped(int64_t index, Batch& batch) const {
  Batch one(dataset_.schema());
  dataset_.append(index, one);
  for (size_t c = 0; c < one.columns.size(); ++c) {
    const Column& stored = one.schema.columns[c];
    Packed& into = batch.columns[c];
    if (is_picture(stored))
      crop(one.columns[c].bytes(), stored, augmentation_, batch.draws.back(),
           into.grow(static_cast<size_t>(seen_.columns[c].entry_numbers())));
    else
      into.append(one.columns[c]);
  }
  for (size_t a = 0; a < one.axes.size(); ++a) batch.axes[a].push_back(batch.axes[a].back() + one.axes[a].back());
  batch.weights.push_back(one.weights.front());
  batch.rows.push_back(one.rows.front());
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
