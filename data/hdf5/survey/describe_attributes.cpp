#include "data/hdf5/handle.h"
#include "data/hdf5/survey/describe.h"

namespace sft::hdf5 {
namespace {

constexpr int64_t kMostAttributes = 1'000;
constexpr int64_t kMostBytes = int64_t{64} << 20;

herr_t collect(hid_t, const char* name, const H5A_info_t*, void* to) noexcept {
  auto& names = *static_cast<std::vector<std::string>*>(to);
  try {
    names.emplace_back(name);
  } catch (...) {
    return 1;
  }
  return names.size() >= static_cast<size_t>(kMostAttributes) ? 1 : 0;
}

// Strings of one size each, padded with NULs (h5py: 'S', and ours).
void read_fixed(hid_t attribute, hid_t type, size_t size, size_t count, std::vector<std::string>& out) {
  std::string bytes(size * count, '\0');
  if (H5Aread(attribute, type, bytes.data()) < 0) return;
  for (size_t i = 0; i < count; ++i) {
    std::string text = bytes.substr(i * size, size);
    text.erase(text.find_last_not_of('\0') + 1);
    out.push_back(std::move(text));
  }
}

void read_variable(hid_t attribute, hid_t type, hid_t space, size_t count, std::vector<std::string>& out) {
  std::vector<char*> texts(count, nullptr);
  if (H5Aread(attribute, type, texts.data()) < 0) return;
  for (const char* text : texts) out.emplace_back(text == nullptr ? "" : text);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts.data());
}

bool describe(hid_t object, const std::string& name, Attribute& out) {
  const AttributeId attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT));
  if (!attribute) return false;
  const TypeId type(H5Aget_type(attribute.get()));
  const Space space(H5Aget_space(attribute.get()));
  const hssize_t count = space ? H5Sget_simple_extent_npoints(space.get()) : -1;
  const size_t size = type ? H5Tget_size(type.get()) : 0;
  if (count < 0 || size == 0 || size > kMostBytes || count > kMostBytes / static_cast<int64_t>(size)) return false;

  out.name = name;
  out.type = describe_type(type.get()).name;
  if (!shape_of(space.get(), out.shape)) return false;
  const auto elements = static_cast<size_t>(count);
  switch (H5Tget_class(type.get())) {
    case H5T_INTEGER:
      out.integers.resize(elements);
      return H5Aread(attribute.get(), H5T_NATIVE_INT64, out.integers.data()) >= 0;
    case H5T_FLOAT:
      out.reals.resize(elements);
      return H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, out.reals.data()) >= 0;
    case H5T_STRING:
      if (H5Tis_variable_str(type.get()) > 0) {
        read_variable(attribute.get(), type.get(), space.get(), elements, out.texts);
      } else {
        read_fixed(attribute.get(), type.get(), size, elements, out.texts);
      }
      return true;
    default:
      return true;
  }
}

}  // namespace

std::vector<Attribute> describe_attributes(hid_t object) {
  std::vector<std::string> names;
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, collect, &names);
  std::vector<Attribute> found;
  for (const std::string& name : names) {
    Attribute attribute;
    if (describe(object, name, attribute)) found.push_back(std::move(attribute));
  }
  return found;
}

}  // namespace sft::hdf5
