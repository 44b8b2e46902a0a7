#include "base/text.h"
#include "data/hdf5/handle.h"
#include "data/hdf5/survey/describe.h"

namespace sft::hdf5 {
namespace {

Type integer(hid_t type) {
  Type out;
  const size_t bytes = H5Tget_size(type);
  out.bytes = static_cast<int64_t>(bytes);
  out.is_signed = H5Tget_sign(type) == H5T_SGN_2;
  out.big_endian = H5Tget_order(type) == H5T_ORDER_BE;
  // HDF5 can also describe 12 bits in the middle of 3 bytes.
  const bool plain = (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8) && H5Tget_offset(type) == 0 &&
                     H5Tget_precision(type) == 8 * bytes;
  out.kind = plain ? Class::integer : Class::other;
  out.name = plain ? concat(out.is_signed ? "int" : "uint", 8 * bytes, bytes > 1 && out.big_endian ? " big-endian" : "")
                   : "integer of an unusual width";
  return out;
}

Type floating(hid_t type) {
  Type out;
  out.bytes = static_cast<int64_t>(H5Tget_size(type));
  out.is_signed = true;
  out.big_endian = H5Tget_order(type) == H5T_ORDER_BE;
  const hid_t known = out.bytes == 4 ? (out.big_endian ? H5T_IEEE_F32BE : H5T_IEEE_F32LE)
                                     : (out.big_endian ? H5T_IEEE_F64BE : H5T_IEEE_F64LE);
  const bool plain = H5Tequal(type, known) > 0;
  out.kind = plain ? Class::floating : Class::other;
  out.name = concat("float", 8 * out.bytes, plain && out.big_endian ? " big-endian" : "");
  return out;
}

Type other(hid_t type, const char* name) {
  return {Class::other, static_cast<int64_t>(H5Tget_size(type)), false, false, name};
}

}  // namespace

Type describe_type(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return integer(type);
    case H5T_ENUM: {  // h5py writes bool as an enumeration over int8
      const TypeId base(H5Tget_super(type));
      Type out = integer(base.get());
      out.name = "enumeration of " + out.name;
      return out;
    }
    case H5T_FLOAT:
      return floating(type);
    case H5T_STRING: {
      if (H5Tis_variable_str(type) != 0) return other(type, "variable-length string");
      const auto bytes = static_cast<int64_t>(H5Tget_size(type));
      return {Class::text, bytes, false, false, concat("string[", bytes, "]")};
    }
    case H5T_VLEN:
      return other(type, "variable-length sequence");
    case H5T_COMPOUND:
      return other(type, "compound");
    case H5T_ARRAY:
      return other(type, "array");
    case H5T_REFERENCE:
      return other(type, "reference");
    case H5T_BITFIELD:
      return other(type, "bit field");
    case H5T_OPAQUE:
      return other(type, "opaque");
    default:
      return other(type, "unknown");
  }
}

bool shape_of(hid_t space, std::vector<int64_t>& shape) {
  const H5S_class_t kind = H5Sget_simple_extent_type(space);
  if (kind == H5S_SCALAR) return true;
  if (kind == H5S_NULL) {
    shape = {0};
    return true;
  }
  hsize_t sizes[H5S_MAX_RANK];
  const int rank = kind == H5S_SIMPLE ? H5Sget_simple_extent_dims(space, sizes, nullptr) : -1;
  for (int d = 0; d < rank; ++d) {
    if (sizes[d] > static_cast<hsize_t>(INT64_MAX)) return false;
    shape.push_back(static_cast<int64_t>(sizes[d]));
  }
  return rank >= 0;
}

}  // namespace sft::hdf5
