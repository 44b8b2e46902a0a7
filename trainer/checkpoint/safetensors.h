// The safetensors format: 8 bytes of header length, a JSON header, then the tensors. Reading trusts nothing:
// header bounded, strict JSON, no duplicate keys, offsets contiguous from 0 to the end, known dtypes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file_ops.h"
#include "trainer/checkpoint/tensor_ref.h"

namespace sft {

// One file, mapped read-only (base/mapped_file.h). DataError naming file and tensor where anything is off.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  // In the order of their data, which points into the mapping: read only, and in files of other writers
  // not always aligned.
  const std::vector<TensorRef>& tensors() const;
  const TensorRef* find(const std::string& name) const;
  const std::map<std::string, std::string>& metadata() const;
  const std::string& path() const;
  bool is_unchanged() const;  // false where somebody has written to it since it was opened (base/mapped_file.h)

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// All weights of a directory in Hugging Face layout: model.safetensors, or the files that
// model.safetensors.index.json names. ConfigError where there are none; a directory with only
// pytorch_model.bin is refused with the two lines of Python that convert it.
class WeightFiles {
 public:
  explicit WeightFiles(const std::string& directory);
  std::vector<std::string> names() const;
  const TensorRef* find(const std::string& name) const;
  // The file that holds this tensor, which must be there.
  const std::string& path_of(const std::string& name) const;
  // DataError naming a file that somebody has written to since it was opened: its tensors may be others now.
  void require_unchanged() const;

 private:
  struct Place {
    const TensorRef* tensor;
    const SafetensorsFile* file;
  };
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, Place> tensors_;
};

// What stands before the data of `tensors`, laid out one after the other: length and header, padded to 8 bytes.
std::string safetensors_header(const std::vector<TensorRef>& tensors,
                               const std::map<std::string, std::string>& metadata);

// Where a tensor's bytes are, until the next one's are asked for.
using TensorBytes = std::function<const void*(const TensorRef&)>;

// Writes a new file, tensors of wide elements first, and syncs it; returns its crc32c. Nothing with that
// name may exist. StorageError where it cannot be written. `bytes` is asked once for each tensor, in the file's order.
uint32_t write_safetensors(
    FileOps& files, const std::string& path, const std::vector<TensorRef>& tensors,
    const std::map<std::string, std::string>& metadata,
    const TensorBytes& bytes = [](const TensorRef& tensor) { return tensor.data; });

}  // namespace sft
