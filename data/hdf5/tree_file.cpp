#include "data/hdf5/tree_file.h"

#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/handle.h"
#include "data/hdf5/room.h"
#include "data/hdf5/silence.h"

namespace sft::hdf5 {
namespace {

constexpr size_t kMostTexts = 4000;  // an attribute holds 64 KiB, and 16 bytes for each
constexpr size_t kGrowBy = size_t{8} << 20;

template <class Status>
Status check(Status status, const std::string& what) {
  if (status < 0) throw StorageError(concat("HDF5 cannot write ", what));
  return status;
}

TypeId text_type() {
  TypeId type(check(H5Tcopy(H5T_C_S1), "a type"));
  check(H5Tset_size(type.get(), H5T_VARIABLE), "a type");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "a type");
  return type;
}

void write_texts(hid_t object, const std::string& name, const std::vector<const char*>& values, const Space& space) {
  const TypeId type = text_type();
  const AttributeId attribute(
      check(H5Acreate2(object, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), name));
  if (!values.empty()) check(H5Awrite(attribute.get(), type.get(), values.data()), name);
}

void write_list(hid_t group, const PlannedTexts& list) {
  std::vector<const char*> values;
  for (const std::string& value : list.values) values.push_back(value.c_str());
  const bool is_split = values.size() > kMostTexts;
  size_t begin = 0;
  for (int part = 0; part == 0 || begin < values.size(); ++part, begin += kMostTexts) {
    const std::vector<const char*> some(
        values.begin() + static_cast<std::ptrdiff_t>(begin),
        values.begin() + static_cast<std::ptrdiff_t>(std::min(begin + kMostTexts, values.size())));
    const auto count = static_cast<hsize_t>(some.size());
    const Space all(check(H5Screate_simple(1, &count, nullptr), list.name));
    write_texts(group, is_split ? list.name + std::to_string(part) : list.name, some, all);
  }
}

void write_array(hid_t group, const PlannedArray& array) {
  std::vector<hsize_t> sides(array.shape.begin(), array.shape.end());
  const Space space(check(
      sides.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(sides.size()), sides.data(), nullptr),
      array.name));
  const Properties links(H5Pcreate(H5P_LINK_CREATE));
  check(H5Pset_create_intermediate_group(links.get(), 1), array.name);
  const DatasetId dataset(
      check(H5Dcreate2(group, array.name.c_str(), H5T_IEEE_F32LE, space.get(), links.get(), H5P_DEFAULT, H5P_DEFAULT),
            array.name));
  check(H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values()), array.name);
}

void write_group(hid_t file, const PlannedGroup& planned) {
  const std::string path = planned.path.empty() ? "/" : planned.path;
  const Properties links(H5Pcreate(H5P_LINK_CREATE));
  check(H5Pset_create_intermediate_group(links.get(), 1), path);
  const Group group(check(planned.path.empty() ? H5Gopen2(file, "/", H5P_DEFAULT)
                                               : H5Gcreate2(file, path.c_str(), links.get(), H5P_DEFAULT, H5P_DEFAULT),
                          path));
  for (const PlannedText& text : planned.texts) {
    const Space one(check(H5Screate(H5S_SCALAR), text.name));
    write_texts(group.get(), text.name, {text.value.c_str()}, one);
  }
  for (const PlannedTexts& list : planned.lists) write_list(group.get(), list);
  for (const PlannedArray& array : planned.arrays) write_array(group.get(), array);
}

}  // namespace

std::string tree_file(const std::vector<PlannedGroup>& groups) {
  const Silence silence;
  const Properties access(H5Pcreate(H5P_FILE_ACCESS));
  check(H5Pset_fapl_core(access.get(), kGrowBy, /*backing_store=*/0), "into memory");
  need_room_for_a_file();
  File file(check(H5Fcreate("keras", H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), "into memory"));
  for (const PlannedGroup& group : groups) write_group(file.get(), group);
  check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "into memory");
  const ssize_t size = check(H5Fget_file_image(file.get(), nullptr, 0), "into memory");
  std::string bytes(static_cast<size_t>(size), '\0');
  check(H5Fget_file_image(file.get(), bytes.data(), bytes.size()), "into memory");
  return bytes;
}

}  // namespace sft::hdf5
