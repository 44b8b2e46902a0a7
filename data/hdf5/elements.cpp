#include "data/hdf5/elements.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace sft::hdf5 {
namespace {

template <class Stored, class Out>
void convert(const std::byte* bytes, bool swap, int64_t count, Out* out) {
  for (int64_t i = 0; i < count; ++i, bytes += sizeof(Stored)) {
    std::byte element[sizeof(Stored)];
    std::memcpy(element, bytes, sizeof element);
    if (swap) std::reverse(element, element + sizeof element);
    Stored value;
    std::memcpy(&value, element, sizeof value);
    out[i] = static_cast<Out>(value);
  }
}

template <class Out>
void convert_integers(const Type& type, const std::byte* bytes, int64_t count, Out* out) {
  assert(type.kind == Class::integer);
  const bool swap = type.big_endian;
  switch (type.bytes * (type.is_signed ? 1 : -1)) {
    case 1:
      return convert<int8_t>(bytes, swap, count, out);
    case 2:
      return convert<int16_t>(bytes, swap, count, out);
    case 4:
      return convert<int32_t>(bytes, swap, count, out);
    case 8:
      return convert<int64_t>(bytes, swap, count, out);
    case -1:
      return convert<uint8_t>(bytes, swap, count, out);
    case -2:
      return convert<uint16_t>(bytes, swap, count, out);
    case -4:
      return convert<uint32_t>(bytes, swap, count, out);
    case -8:
      return convert<uint64_t>(bytes, swap, count, out);
    default:
      assert(false);
  }
}

// Through a small buffer, so that no read needs memory of its own.
template <class Out, class Convert>
void read_elements(const Bytes& content, const Type& type, int64_t first, int64_t count, std::vector<Out>& out,
                   Convert converted) {
  std::byte buffer[4096];
  const int64_t at_once = static_cast<int64_t>(sizeof buffer) / type.bytes;
  out.resize(static_cast<size_t>(count));
  for (int64_t done = 0; done < count;) {
    const int64_t now = std::min(at_once, count - done);
    content.read((first + done) * type.bytes, now * type.bytes, buffer);
    converted(type, buffer, now, out.data() + done);
    done += now;
  }
}

}  // namespace

void to_integers(const Type& type, const std::byte* bytes, int64_t count, int64_t* out) {
  convert_integers(type, bytes, count, out);
}

void to_reals(const Type& type, const std::byte* bytes, int64_t count, double* out) {
  if (type.kind == Class::integer) return convert_integers(type, bytes, count, out);
  assert(type.kind == Class::floating);
  if (type.bytes == 4) return convert<float>(bytes, type.big_endian, count, out);
  convert<double>(bytes, type.big_endian, count, out);
}

void read_integers(const Bytes& content, const Type& type, int64_t first, int64_t count, std::vector<int64_t>& out) {
  read_elements(content, type, first, count, out, to_integers);
}

void read_reals(const Bytes& content, const Type& type, int64_t first, int64_t count, std::vector<double>& out) {
  read_elements(content, type, first, count, out, to_reals);
}

}  // namespace sft::hdf5
