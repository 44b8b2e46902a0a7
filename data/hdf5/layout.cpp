#include "data/hdf5/layout.h"

#include <nlohmann/json.hpp>

namespace sft::hdf5 {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Type, kind, bytes, is_signed, big_endian, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Filter, id, values)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Chunk, origin, offset, bytes, skipped_filters)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DatasetLayout, name, type, shape, storage, stored_bytes, offset, compact,
                                   chunk_shape, filters, chunks, fill)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Attribute, name, type, shape, integers, reals, texts)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GroupLayout, name, attributes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FileLayout, attributes, groups, datasets)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Finding, error, layout)

namespace {

template <class Item>
const Item* find(const std::vector<Item>& items, std::string_view name) {
  for (const Item& item : items) {
    if (item.name == name) return &item;
  }
  return nullptr;
}

}  // namespace

const Attribute* GroupLayout::attribute(std::string_view wanted) const {
  return find(attributes, wanted);
}
const GroupLayout* FileLayout::group(std::string_view name) const { return find(groups, name); }
const Attribute* FileLayout::attribute(std::string_view name) const { return find(attributes, name); }
const DatasetLayout* FileLayout::dataset(std::string_view name) const { return find(datasets, name); }

int64_t num_elements(const std::vector<int64_t>& shape) {
  int64_t product = 1;
  bool overflow = false;
  for (const int64_t size : shape) {
    if (size == 0) return 0;
    overflow = overflow || __builtin_mul_overflow(product, size, &product);
  }
  return overflow ? INT64_MAX : product;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

std::vector<uint8_t> encode(const Finding& finding) { return nlohmann::json::to_cbor(finding); }

Finding decode(const std::vector<uint8_t>& bytes) { return nlohmann::json::from_cbor(bytes).get<Finding>(); }

}  // namespace sft::hdf5
