#include "data/loading/batch_reader.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <optional>

#include "data/loading/box_columns.h"

namespace sft {
namespace {

constexpr size_t kAhead = 8;  // samples: a miss takes about as long as reading this many that are in the caches

// Those in which a picture itself is seen, where it is seen from side to side: mirrored, it stays where evaluation has
// it. Of one that is cut off all columns, so that it stays cut off at the border.
Mirrored columns_of(const View& view, const Batch& batch, const Column& pixels) {
  const int64_t width = batch.at(kOriginalSizeColumn).as<int32_t>()[2 * batch.draws.size() - 1];
  const int64_t first = std::llround(view.seen_x(0)), end = std::llround(view.seen_x(static_cast<double>(width)));
  return first >= 0 && end <= pixels.shape[1] ? Mirrored{first, end} : Mirrored{0, pixels.shape[1]};
}

void set_view(const View& view, Batch& batch) {
  const std::span<float> numbers = batch.at(kView).as<float>().last(4);
  numbers[0] = view.scale_x;
  numbers[1] = view.scale_y;
  numbers[2] = view.left;
  numbers[3] = view.top;
}

// The entries before `first`, and of those behind it the ones at the places `kept`.
Packed without_unseen(const Packed& all, size_t first, const std::vector<size_t>& kept, size_t entry_bytes) {
  Packed out(all.number());
  const size_t numbers = entry_bytes / static_cast<size_t>(bytes_of(all.number()));
  if (first > 0) std::memcpy(out.grow(first * numbers), all.bytes(), first * entry_bytes);
  for (const size_t place : kept) std::memcpy(out.grow(numbers), all.bytes() + place * entry_bytes, entry_bytes);
  return out;
}

// Of the last sample, those whose centre lies outside the picture that is seen, with all that stands along them.
void drop_unseen_boxes(Batch& batch) {
  const View view = view_in(batch, batch.draws.size() - 1);
  const Column& pixels = *std::ranges::find_if(batch.schema.columns, is_picture);
  const StringList axes = batch.schema.axes();
  Offsets& offsets = batch.axes[static_cast<size_t>(std::ranges::find(axes, kBoxAxis) - axes.begin())];
  const auto first = static_cast<size_t>(*(offsets.end() - 2)), end = static_cast<size_t>(offsets.back());
  const auto is_inside = [](double at, int64_t side) { return at >= 0 && at < static_cast<double>(side); };
  std::vector<size_t> kept;
  for (size_t i = first; i < end; ++i) {
    const float* box = batch.at(kBoxes).as<float>().data() + 4 * i;
    if (is_inside(view.seen_x((double{box[0]} + box[2]) / 2), pixels.shape[1]) &&
        is_inside(view.seen_y((double{box[1]} + box[3]) / 2), pixels.shape[0]))
      kept.push_back(i);
  }
  if (kept.size() == end - first) return;
  for (size_t c = 0; c < batch.columns.size(); ++c)
    if (const Column& column = batch.schema.columns[c]; column.axis == kBoxAxis)
      batch.columns[c] = without_unseen(batch.columns[c], first, kept, static_cast<size_t>(column.entry_bytes()));
  offsets.back() = static_cast<int64_t>(first + kept.size());
}

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

// Those of the last sample, and where its picture lies in them.
void BatchReader::change_pictures(Batch& batch) const {
  const int64_t draw = batch.draws.back();
  const bool has_view = batch.schema.find(kView) != nullptr;
  std::optional<Mirrored> mirrored;
  if (has_view) {
    View seen = view_in(batch, batch.draws.size() - 1);
    const Column& pixels = *std::ranges::find_if(batch.schema.columns, is_picture);
    const Column& stored = *std::ranges::find_if(dataset_.schema().columns, is_picture);
    if (augmentation_.crops()) seen = cropped(seen, stored, augmentation_, draw);
    mirrored = columns_of(seen, batch, pixels);
    set_view(augmented(seen, augmentation_, draw, *mirrored), batch);
  }
  for (size_t c = 0; c < batch.columns.size(); ++c) {
    const Column& column = batch.schema.columns[c];
    if (!is_picture(column)) continue;
    Packed& all = batch.columns[c];
    augment(all.bytes() + all.num_bytes() - static_cast<size_t>(column.entry_bytes()), column, augmentation_, draw,
            mirrored);
  }
  if (has_view && batch.schema.find(kBoxes) != nullptr) drop_unseen_boxes(batch);
}

}  // namespace sft
