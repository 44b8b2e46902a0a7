// Reading maps the file, so that what nobody asks for is never read; writing puts the widest
// elements first, so that every tensor of a file written here is aligned.
#include "trainer/checkpoint/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "base/errors.h"
#include "base/mapped_file.h"
#include "base/text.h"
#include "trainer/checkpoint/dtype.h"
#include "trainer/checkpoint/new_file.h"
#include "trainer/checkpoint/safetensors_header.h"

namespace sft {

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian, and so is this code");

namespace {

constexpr int64_t kLengthBytes = 8;
constexpr int64_t kMostHeaderBytes = 100'000'000;  // as the reference implementation

SafetensorsHeader read_header(const MappedFile& mapped, const std::string& path) {
  if (mapped.size() < kLengthBytes)
    throw DataError(concat(path, ": not a safetensors file: ", mapped.size(), " bytes"));
  uint64_t length = 0;
  std::memcpy(&length, mapped.data(), sizeof length);
  const int64_t behind = mapped.size() - kLengthBytes;
  if (length > static_cast<uint64_t>(std::min(behind, kMostHeaderBytes)))
    throw DataError(concat(path, ": its safetensors header claims ", length, " bytes, of ", behind,
                           " that follow: not a safetensors file, or cut short"));
  const auto header_bytes = static_cast<int64_t>(length);
  const std::string_view text(reinterpret_cast<const char*>(mapped.data()) + kLengthBytes, length);
  auto* const data = const_cast<std::byte*>(mapped.data()) + kLengthBytes + header_bytes;  // nobody writes there
  return parse_safetensors_header(text, data, behind - header_bytes, path);
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : TensorFile(path) {
  SafetensorsHeader header = read_header(mapped(), path);
  set_tensors(std::move(header.tensors));
  set_metadata(std::move(header.metadata));
}

std::string safetensors_header(const std::vector<TensorRef>& tensors,
                               const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::set<std::string_view> names;
  int64_t position = 0;
  for (const TensorRef& tensor : tensors) {
    int64_t bytes = bytes_of_dtype(tensor.dtype);
    for (const int64_t extent : tensor.shape) bytes *= extent;
    if (bytes != tensor.bytes || bytes_of_dtype(tensor.dtype) == 0 || !names.insert(tensor.name).second)
      throw Error(ExitCode::internal,
                  concat("tensor ", in_quotes(tensor.name), " cannot be written: it stands twice, or its ",
                         tensor.bytes, " bytes do not fit its shape and dtype ", tensor.dtype));
    header.push_back(
        {tensor.name,
         {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {position, position + bytes}}}});
    position += bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

uint32_t write_safetensors(FileOps& files, const std::string& path, const std::vector<TensorRef>& tensors,
                           const std::map<std::string, std::string>& metadata, const TensorBytes& bytes_of,
                           ShownWork* work) {
  std::vector<TensorRef> widest_first = tensors;
  std::ranges::stable_sort(widest_first, std::greater(),
                           [](const TensorRef& tensor) { return bytes_of_dtype(tensor.dtype); });
  const std::string header = safetensors_header(widest_first, metadata);
  auto bytes = static_cast<int64_t>(header.size());
  for (const TensorRef& tensor : widest_first) bytes += tensor.bytes;

  NewFile file(files, path, bytes);
  file.append(header.data(), static_cast<int64_t>(header.size()));
  for (const TensorRef& tensor : widest_first) file.append(bytes_of(tensor), tensor.bytes, work);
  return file.finish();
}

}  // namespace sft
