#include "data/hdf5/filters.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "base/text.h"

namespace sft::hdf5 {
namespace {

// H5Z_FILTER_…; their numbers are part of the file format.
constexpr int kDeflate = 1, kShuffle = 2, kFletcher32 = 3;

std::vector<std::byte> inflated(const std::vector<std::byte>& in, size_t most) {
  std::vector<std::byte> out(most + 1);  // one more, to see what is too long
  z_stream stream{};
  constexpr size_t kMostZlib = std::numeric_limits<uInt>::max();
  if (in.size() > kMostZlib || out.size() > kMostZlib) throw std::runtime_error("a compressed chunk is too large");
  if (inflateInit(&stream) != Z_OK) throw std::runtime_error("zlib cannot start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&stream, Z_FINISH);
  const size_t written = out.size() - stream.avail_out;
  inflateEnd(&stream);
  if (status != Z_STREAM_END || written > most) throw std::runtime_error("compressed bytes are damaged");
  out.resize(written);
  return out;
}

// First all first bytes of the elements, then all second ones, …; a tail shorter than an element stays.
std::vector<std::byte> unshuffled(const std::vector<std::byte>& in, size_t width) {
  const size_t count = in.size() / width;
  std::vector<std::byte> out = in;
  for (size_t byte = 0; byte < width; ++byte) {
    for (size_t i = 0; i < count; ++i) out[i * width + byte] = in[byte * count + i];
  }
  return out;
}

void check_fletcher32(std::vector<std::byte>& bytes) {
  if (bytes.size() < 4) throw std::runtime_error("a chunk is shorter than its checksum");
  uint32_t stored = 0;
  std::memcpy(&stored, bytes.data() + bytes.size() - 4, 4);
  bytes.resize(bytes.size() - 4);
  const uint32_t found = fletcher32(bytes.data(), bytes.size());
  // HDF5 before 1.6.3 wrote the two bytes of each half the other way round.
  const uint32_t old = (found & 0x00FF00FF) << 8 | (found & 0xFF00FF00) >> 8;
  if (stored != found && stored != old) throw std::runtime_error("a chunk does not match its fletcher32 checksum");
}

}  // namespace

bool is_known_filter(const Filter& filter) {
  if (filter.id == kShuffle) return !filter.values.empty() && filter.values[0] > 0;
  return filter.id == kDeflate || filter.id == kFletcher32;
}

std::string filter_name(int id) {
  switch (id) {
    case kDeflate:
      return "deflate";
    case kShuffle:
      return "shuffle";
    case kFletcher32:
      return "fletcher32";
    case 4:
      return "szip";
    case 5:
      return "nbit";
    case 6:
      return "scaleoffset";
    case 32000:
      return "lzf";
    case 32001:
      return "blosc";
    case 32015:
      return "zstd";
    default:
      return concat("number ", id);
  }
}

std::vector<std::byte> unfiltered(std::vector<std::byte> bytes, const DatasetLayout& dataset, const Chunk& chunk,
                                  size_t size) {
  // The checksum may be added before the compression.
  const size_t most = size + 4 * dataset.filters.size();
  for (size_t i = dataset.filters.size(); i-- > 0;) {
    if (i < 32 && (chunk.skipped_filters >> i & 1) != 0) continue;
    switch (dataset.filters[i].id) {
      case kDeflate:
        bytes = inflated(bytes, most);
        break;
      case kShuffle:
        bytes = unshuffled(bytes, dataset.filters[i].values[0]);
        break;
      case kFletcher32:
        check_fletcher32(bytes);
        break;
    }
  }
  if (bytes.size() != size)
    throw std::runtime_error(concat("a chunk holds ", bytes.size(), " bytes where ", size, " belong"));
  return bytes;
}

uint32_t fletcher32(const std::byte* data, size_t size) {
  constexpr size_t kWordsBetweenFolds = 360;  // as many as 32 bits hold the sums of
  const auto fold = [](uint32_t sum) { return (sum & 0xFFFF) + (sum >> 16); };
  const auto at = [&](size_t i) { return std::to_integer<uint32_t>(data[i]); };
  uint32_t sum1 = 0, sum2 = 0;
  const size_t words = size / 2;
  for (size_t start = 0; start < words; start += kWordsBetweenFolds) {
    for (size_t word = start; word < std::min(words, start + kWordsBetweenFolds); ++word) {
      sum1 += at(2 * word) << 8 | at(2 * word + 1);
      sum2 += sum1;
    }
    sum1 = fold(sum1);
    sum2 = fold(sum2);
  }
  if (size % 2 == 1) {
    sum1 += at(size - 1) << 8;
    sum2 += sum1;
    sum1 = fold(sum1);
    sum2 = fold(sum2);
  }
  return fold(sum2) << 16 | fold(sum1);
}

}  // namespace sft::hdf5
