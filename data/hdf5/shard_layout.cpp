// Contiguous, allocated early and never filled: HDF5 then only decides where everything lies, and the
// bytes are written past it. What it writes here is metadata of a few kilobytes.
#include "data/hdf5/shard_layout.h"

#include <algorithm>
#include <cassert>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/format.h"
#include "data/hdf5/handle.h"
#include "data/hdf5/room.h"
#include "data/hdf5/silence.h"

namespace sft {
namespace {

using namespace hdf5;

template <class Status>
Status check(Status status, const char* what) {
  if (status < 0) throw StorageError(concat("HDF5 cannot ", what, " of a shard; is the disk full?"));
  return status;
}

hid_t stored_type(StoredElement element) {
  switch (element) {
    case StoredElement::uint8:
      return H5T_STD_U8LE;
    case StoredElement::uint16:
      return H5T_STD_U16LE;
    case StoredElement::uint32:
      return H5T_STD_U32LE;
    case StoredElement::int32:
      return H5T_STD_I32LE;
    case StoredElement::int64:
      return H5T_STD_I64LE;
    case StoredElement::float32:
      return H5T_IEEE_F32LE;
  }
  assert(false);
  return H5I_INVALID_HID;
}

File create(const std::string& path) {
  need_room_for_a_file();
  const Properties creation(H5Pcreate(H5P_FILE_CREATE)), access(H5Pcreate(H5P_FILE_ACCESS));
  check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18), "set the version");
  check(H5Pset_alignment(access.get(), format::kAlignFrom, format::kAlignment), "set the alignment");
  check(H5Pset_file_locking(access.get(), false, true), "set the locking");
  File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()));
  check(file.get(), "create the layout");
  return file;
}

void add(hid_t file, PlannedDataset& planned) {
  std::vector<hsize_t> shape = {static_cast<hsize_t>(planned.count)};
  for (const int64_t size : planned.row) {
    shape.push_back(static_cast<hsize_t>(size));
    shape[0] /= static_cast<hsize_t>(size);
  }
  const Space space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
  const Properties creation(H5Pcreate(H5P_DATASET_CREATE));
  check(H5Pset_layout(creation.get(), H5D_CONTIGUOUS), "set the layout");
  check(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), "set the allocation");
  check(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), "set the filling");
  const DatasetId dataset(H5Dcreate2(file, planned.name.c_str(), stored_type(planned.element), space.get(), H5P_DEFAULT,
                                     creation.get(), H5P_DEFAULT));
  check(dataset.get(), "create a dataset");
  const haddr_t offset = H5Dget_offset(dataset.get());
  planned.offset = offset == HADDR_UNDEF ? -1 : static_cast<int64_t>(offset);
}

void write_attribute(hid_t file, const std::string& name, hid_t type, hid_t space, const void* value) {
  const AttributeId attribute(H5Acreate2(file, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
  check(attribute.get(), "create an attribute");
  check(H5Awrite(attribute.get(), type, value), "write an attribute");
}

// Strings of one size, padded with NULs: unlike variable-length ones they are covered by the checksums of
// HDF5's own metadata, and reading them follows no pointers.
TypeId text_type(size_t longest) {
  TypeId type(H5Tcopy(H5T_C_S1));
  check(H5Tset_size(type.get(), std::max<size_t>(longest, 1)), "size a string");
  check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "pad a string");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "encode a string");
  return type;
}

void write_text(hid_t file, const std::string& name, const std::string& text) {
  const TypeId type = text_type(text.size());
  const Space space(H5Screate(H5S_SCALAR));
  write_attribute(file, name, type.get(), space.get(), text.c_str());
}

void write_list(hid_t file, const std::string& name, const std::vector<int64_t>& values) {
  const auto count = static_cast<hsize_t>(values.size());
  const Space space(H5Screate_simple(1, &count, nullptr));
  write_attribute(file, name, H5T_STD_I64LE, space.get(), values.data());
}

void write_list(hid_t file, const std::string& name, const std::vector<std::string>& texts) {
  size_t longest = 1;
  for (const std::string& text : texts) longest = std::max(longest, text.size());
  std::string padded(longest * texts.size(), '\0');
  for (size_t i = 0; i < texts.size(); ++i) texts[i].copy(padded.data() + i * longest, longest);
  const TypeId type = text_type(longest);
  const auto count = static_cast<hsize_t>(texts.size());
  const Space space(H5Screate_simple(1, &count, nullptr));
  write_attribute(file, name, type.get(), space.get(), padded.data());
}

}  // namespace

int64_t stored_bytes(StoredElement element) {
  switch (element) {
    case StoredElement::uint8:
      return 1;
    case StoredElement::uint16:
      return 2;
    case StoredElement::uint32:
    case StoredElement::int32:
    case StoredElement::float32:
      return 4;
    case StoredElement::int64:
      return 8;
  }
  assert(false);
  return 0;
}

void lay_out(const std::string& path, std::vector<PlannedDataset>& datasets, const PlannedAttributes& attributes) {
  const Silence silence;
  File file = create(path);
  const Space one(H5Screate(H5S_SCALAR));
  for (const auto& [name, value] : attributes.integers)
    write_attribute(file.get(), name, H5T_STD_I64LE, one.get(), &value);
  for (const auto& [name, text] : attributes.texts) write_text(file.get(), name, text);
  for (const auto& [name, texts] : attributes.lists) write_list(file.get(), name, texts);
  for (const auto& [name, values] : attributes.integer_lists) write_list(file.get(), name, values);
  for (PlannedDataset& planned : datasets) add(file.get(), planned);
  if (!file.close()) throw StorageError(concat("HDF5 cannot finish ", in_quotes(path, 400), "; is the disk full?"));
}

}  // namespace sft
