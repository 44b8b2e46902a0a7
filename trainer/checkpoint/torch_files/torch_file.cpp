#include "trainer/checkpoint/torch_files/torch_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "base/errors.h"
#include "base/text.h"
#include "base/zip_entries.h"
#include "trainer/checkpoint/dtype.h"
#include "trainer/checkpoint/torch_files/unpickler.h"

namespace sft {

static_assert(std::endian::native == std::endian::little, "files of torch are little-endian, and so is this code");

namespace {

constexpr size_t kMostPickleBytes = size_t{32} << 20;
constexpr std::string_view kZip("PK\x03\x04", 4);
// The pickles of the number 0x1950a86a20f9469cfc6c and of the version 1001, with which older files begin.
constexpr std::string_view kBeforeZip("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.",
                                      21);

struct ByteRange {
  int64_t offset = 0;
  int64_t bytes = 0;
};

struct Content {
  std::map<std::string, PickledTensor> tensors;
  std::map<std::string, PickledStorage> storages;
  std::map<std::string, ByteRange> places;  // of storages, by their keys
};

[[noreturn]] void wrong(const std::string& path, const std::string& what) { throw DataError(concat(path, ": ", what)); }

// −1 where they are more than can be counted.
int64_t bytes_of(const PickledStorage& storage) {
  int64_t bytes = 0;
  return __builtin_mul_overflow(storage.elements, bytes_of_dtype(storage.dtype), &bytes) ? -1 : bytes;
}

// An archive has one folder with data.pkl, data/KEY for each storage, and byteorder, which files of torch before 2.1
// lack.
Content read_archive(std::string_view file, const std::string& path) {
  constexpr std::string_view kPickle = "/data.pkl";
  const std::map<std::string, ZipEntry> entries = stored_entries(file, path);
  const auto pickle = std::ranges::find_if(entries, [&](const auto& entry) {
    return entry.first.ends_with(kPickle) && entry.first.find('/') == entry.first.size() - kPickle.size();
  });
  if (pickle == entries.end()) wrong(path, "zip archive: there is no data.pkl in it: torch.save did not write it");
  const auto content_of = [&](const ZipEntry& range) {
    return file.substr(static_cast<size_t>(range.offset), static_cast<size_t>(range.bytes));
  };
  const std::string folder = pickle->first.substr(0, pickle->first.size() - kPickle.size() + 1);
  const auto order = entries.find(folder + "byteorder");
  if (order != entries.end() && content_of(order->second) != "little")
    wrong(path, concat("its byte order is ", in_quotes(content_of(order->second)), "; little is read"));
  if (content_of(pickle->second).size() > kMostPickleBytes)
    wrong(path, concat("its pickle is larger than ", kMostPickleBytes, " bytes"));

  Unpickler unpickler(content_of(pickle->second), path);
  Content content{unpickler.tensors(), unpickler.storages(), {}};
  for (const auto& [key, storage] : content.storages) {
    const auto entry = entries.find(concat(folder, "data/", key));
    if (entry == entries.end()) wrong(path, concat("zip archive: the storage ", in_quotes(key), " is missing"));
    content.places.emplace(key, ByteRange{entry->second.offset, entry->second.bytes});
  }
  return content;
}

// Behind the pickles stands for each storage the number of its elements, and then they.
Content read_before_zip(std::string_view file, const std::string& path) {
  Unpickler unpickler(file.substr(kBeforeZip.size(), kMostPickleBytes), path);
  const std::map<std::string, int64_t> system = unpickler.numbers();
  if (const auto little = system.find("little_endian"); little != system.end() && little->second == 0)
    wrong(path, "its byte order is big; little is read");
  Content content{unpickler.tensors(), unpickler.storages(), {}};
  const std::vector<std::string> keys = unpickler.keys();
  auto at = static_cast<int64_t>(kBeforeZip.size() + unpickler.position());
  for (const std::string& key : keys) {
    const auto storage = content.storages.find(key);
    if (storage == content.storages.end()) wrong(path, concat("the storage ", in_quotes(key), " is of no tensor"));
    int64_t elements = 0, bytes = bytes_of(storage->second);
    const int64_t left = static_cast<int64_t>(file.size()) - at - static_cast<int64_t>(sizeof elements);
    if (bytes < 0 || bytes > left) wrong(path, concat("cut short in the storage ", in_quotes(key)));
    std::memcpy(&elements, file.data() + at, sizeof elements);
    if (elements != storage->second.elements) wrong(path, concat("the storage ", in_quotes(key), " has two sizes"));
    at += static_cast<int64_t>(sizeof elements);
    if (!content.places.emplace(key, ByteRange{at, bytes}).second)
      wrong(path, concat("the storage ", in_quotes(key), " stands twice"));
    at += bytes;
  }
  return content;
}

Content read_content(std::string_view file, const std::string& path) {
  if (file.starts_with(kZip)) return read_archive(file, path);
  if (file.starts_with(kBeforeZip)) return read_before_zip(file, path);
  wrong(path, concat("not a file of torch.save; it begins with ", in_quotes(file.substr(0, 16))));
}

// The number of elements; -1 where they do not fit into the storage.
int64_t elements_within(const PickledTensor& tensor, int64_t storage_elements) {
  int64_t elements = 1, last = tensor.offset;
  if (tensor.shape.size() != tensor.strides.size() || tensor.offset < 0) return -1;
  for (size_t d = 0; d < tensor.shape.size(); ++d) {
    int64_t way = 0;
    if (tensor.shape[d] < 0 || tensor.strides[d] < 0) return -1;
    if (__builtin_mul_overflow(elements, tensor.shape[d], &elements)) return -1;
    if (tensor.shape[d] == 0) continue;
    if (__builtin_mul_overflow(tensor.shape[d] - 1, tensor.strides[d], &way) ||
        __builtin_add_overflow(last, way, &last))
      return -1;
  }
  if (elements == 0) return tensor.offset <= storage_elements ? 0 : -1;
  return last < storage_elements ? elements : -1;
}

bool is_contiguous(const PickledTensor& tensor) {
  int64_t wanted = 1;
  for (size_t d = tensor.shape.size(); d-- > 0; wanted *= tensor.shape[d])
    if (tensor.shape[d] != 1 && tensor.strides[d] != wanted) return false;
  return true;
}

// In the order of its elements.
void copy_elements(const PickledTensor& tensor, const std::byte* from, size_t bytes, std::byte* to) {
  std::vector<int64_t> at(tensor.shape.size(), 0);
  for (;;) {
    int64_t place = 0;
    for (size_t d = 0; d < at.size(); ++d) place += at[d] * tensor.strides[d];
    std::memcpy(to, from + place * static_cast<int64_t>(bytes), bytes);
    to += bytes;
    size_t d = at.size();
    while (d > 0 && ++at[d - 1] == tensor.shape[d - 1]) at[--d] = 0;
    if (d == 0) return;
  }
}

}  // namespace

TorchFile::TorchFile(const std::string& path) : TensorFile(path) {
  try {
    read();
  } catch (const DataError& error) {
    throw DataError(
        concat(error.what(),
               "\nWhere torch reads it, this makes one of it that is read here:\n"
               "    python3 -c \"import sys, torch; from safetensors.torch import save_file; "
               "d = torch.load(sys.argv[1], weights_only=True); d = d.get('state_dict', d); "
               "save_file({k: v.clone().contiguous() for k, v in d.items() if torch.is_tensor(v)}, sys.argv[2])\" '",
               path, "' model.safetensors"));
  }
}

void TorchFile::read() {
  const std::string_view file(reinterpret_cast<const char*>(mapped().data()), static_cast<size_t>(mapped().size()));
  const Content content = read_content(file, path());
  std::vector<TensorRef> tensors;
  int64_t copied = 0;
  for (const auto& [name, tensor] : content.tensors) {
    const PickledStorage& storage = content.storages.at(tensor.storage);
    const auto place = content.places.find(tensor.storage);
    if (place == content.places.end() || place->second.bytes != bytes_of(storage))
      wrong(path(), concat("tensor ", in_quotes(name), ": its storage is missing or of another size"));
    const int64_t elements = elements_within(tensor, storage.elements), bytes = bytes_of_dtype(storage.dtype);
    if (elements < 0) wrong(path(), concat("tensor ", in_quotes(name), ": its shape goes beyond its storage"));
    auto* data = const_cast<std::byte*>(mapped().data()) + place->second.offset + tensor.offset * bytes;  // read only
    if (elements > 0 && !is_contiguous(tensor)) {
      if (elements > storage.elements || (copied += elements * bytes) > mapped().size())
        wrong(path(), concat("tensor ", in_quotes(name), ": it repeats elements of its storage"));
      copies_.push_back(std::make_unique<std::byte[]>(static_cast<size_t>(elements * bytes)));
      copy_elements(tensor, data, static_cast<size_t>(bytes), copies_.back().get());
      data = copies_.back().get();
    }
    tensors.push_back({name, storage.dtype, tensor.shape, data, elements * bytes});
  }
  std::ranges::sort(tensors, {}, &TensorRef::data);
  require_mapped_files_whole();
  set_tensors(std::move(tensors));
}

}  // namespace sft
