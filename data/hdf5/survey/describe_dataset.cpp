#include <limits>
#include <optional>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/handle.h"
#include "data/hdf5/survey/describe.h"
#include "data/hdf5/survey/driver.h"

namespace sft::hdf5 {
namespace {

constexpr int64_t kMostChunks = 131'072;
constexpr int64_t kMostCompactBytes = 64 * 1024;
constexpr int64_t kMostFillBytes = 16;

void check(bool good, const std::string& dataset, const std::string& why) {
  if (!good) throw DataError(concat("dataset ", in_quotes(dataset), ": ", why));
}

int64_t signed_bytes(uint64_t value, const std::string& dataset) {
  check(value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()), dataset, "a size or offset overflows");
  return static_cast<int64_t>(value);
}

void describe_filters(hid_t creation, DatasetLayout& out) {
  const int count = H5Pget_nfilters(creation);
  check(count >= 0, out.name, "its filters cannot be read");
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0, values[32] = {};
    size_t num_values = std::size(values);
    const int id = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &num_values, values, 0, nullptr, nullptr);
    check(id > 0 && num_values <= std::size(values), out.name, "a filter cannot be read");
    out.filters.push_back({id, {values, values + num_values}});
  }
}

void describe_chunks(hid_t dataset, hid_t creation, DatasetLayout& out) {
  hsize_t sizes[H5S_MAX_RANK];
  const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, sizes);
  check(rank > 0 && static_cast<size_t>(rank) == out.shape.size(), out.name,
        "its chunks have another rank than it has");
  for (int d = 0; d < rank; ++d) out.chunk_shape.push_back(signed_bytes(sizes[d], out.name));

  int64_t count = 1;
  for (size_t d = 0; d < out.shape.size(); ++d) {
    check(out.chunk_shape[d] > 0, out.name, "a side of its chunks is 0");
    const int64_t along = out.shape[d] / out.chunk_shape[d] + (out.shape[d] % out.chunk_shape[d] > 0 ? 1 : 0);
    check(along <= kMostChunks && count * along <= kMostChunks, out.name,
          concat("has more than ", kMostChunks, " chunks; rewrite it contiguous or in larger ones"));
    count *= along;
  }
  std::vector<hsize_t> origin(out.shape.size());
  for (int64_t i = 0; i < count; ++i) {
    std::optional<Place> place;
    check(find_chunk(dataset, origin.data(), place), out.name, "a chunk cannot be found; the file is damaged");
    if (place)
      out.chunks.push_back({{origin.begin(), origin.end()},
                            signed_bytes(place->offset, out.name),
                            static_cast<int64_t>(place->bytes),
                            place->skipped_filters});
    // The next in row-major order.
    for (size_t d = origin.size(); d-- > 0;) {
      origin[d] += sizes[d];
      if (origin[d] < static_cast<hsize_t>(out.shape[d])) break;
      origin[d] = 0;
    }
  }
}

void describe_fill(hid_t creation, hid_t type, DatasetLayout& out) {
  H5D_fill_value_t defined;
  if (out.type.kind == Class::other || out.type.bytes > kMostFillBytes) return;
  if (H5Pfill_value_defined(creation, &defined) < 0 || defined != H5D_FILL_VALUE_USER_DEFINED) return;
  out.fill.resize(static_cast<size_t>(out.type.bytes));
  check(H5Pget_fill_value(creation, type, out.fill.data()) >= 0, out.name, "its fill value cannot be read");
}

void describe_compact(hid_t dataset, hid_t type, DatasetLayout& out) {
  check(out.stored_bytes <= kMostCompactBytes, out.name, "a compact dataset is larger than HDF5 allows");
  if (out.type.kind == Class::other) return;
  out.compact.resize(static_cast<size_t>(out.stored_bytes));
  check(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.compact.data()) >= 0, out.name, "cannot be read");
}

}  // namespace

DatasetLayout describe_dataset(hid_t dataset, const std::string& name) {
  DatasetLayout out;
  out.name = name;
  const Properties creation(H5Dget_create_plist(dataset));
  const TypeId type(H5Dget_type(dataset));
  const Space space(H5Dget_space(dataset));
  check(creation && type && space, name, "its description cannot be read");
  check(H5Pget_external_count(creation.get()) == 0, name, "its bytes are in another file, which is not followed");
  out.type = describe_type(type.get());
  check(out.type.bytes > 0, name, "its type cannot be read");
  const bool has_values = shape_of(space.get(), out.shape);
  check(has_values, name, "has no shape");
  out.stored_bytes = signed_bytes(H5Dget_storage_size(dataset), name);

  switch (H5Pget_layout(creation.get())) {
    case H5D_CONTIGUOUS: {
      out.storage = Storage::contiguous;
      const haddr_t offset = H5Dget_offset(dataset);
      if (offset != HADDR_UNDEF) out.offset = signed_bytes(offset, name);
      break;
    }
    case H5D_CHUNKED:
      out.storage = Storage::chunked;
      describe_filters(creation.get(), out);
      describe_chunks(dataset, creation.get(), out);
      describe_fill(creation.get(), type.get(), out);
      break;
    case H5D_COMPACT:
      out.storage = Storage::compact;
      check(
          num_elements(out.shape) <= kMostCompactBytes && num_elements(out.shape) * out.type.bytes == out.stored_bytes,
          name, "its size contradicts its shape");
      describe_compact(dataset, type.get(), out);
      break;
    default:
      check(false, name, "is a virtual dataset, or of a layout not known here; write its values into this file");
  }
  return out;
}

}  // namespace sft::hdf5
