// The safetensors format: 8 bytes of header length, a JSON header, then the tensors. Reading trusts nothing:
// header bounded, strict JSON, no duplicate keys, offsets contiguous from 0 to the end, known dtypes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file_ops.h"
#include "base/shown_work.h"
#include "trainer/checkpoint/tensor_file.h"

namespace sft {

// One file. DataError naming file and tensor where anything is off.
class SafetensorsFile final : public TensorFile {
 public:
  explicit SafetensorsFile(const std::string& path);
};

// All weights of a directory in Hugging Face layout, the first that there is of: model.safetensors, the files that
// model.safetensors.index.json names, pytorch_model.bin, the files that pytorch_model.bin.index.json names, the one
// file that ends in .pth, as torchvision's. ConfigError where there are none.
class WeightFiles {
 public:
  explicit WeightFiles(const std::string& directory);
  explicit WeightFiles(std::unique_ptr<TensorFile> file);  // of another format
  std::vector<std::string> names() const;
  const TensorRef* find(const std::string& name) const;
  // The file that holds this tensor, which must be there.
  const std::string& path_of(const std::string& name) const;
  // DataError naming a file that somebody has written to since it was opened: its tensors may be others now.
  void require_unchanged() const;

 private:
  struct Place {
    const TensorRef* tensor;
    const TensorFile* file;
  };
  void take(std::unique_ptr<TensorFile> file);
  void take_named(const std::string& index);

  std::vector<std::unique_ptr<TensorFile>> files_;
  std::map<std::string, Place> tensors_;
};

// What stands before the data of `tensors`, laid out one after the other: length and header, padded to 8 bytes.
std::string safetensors_header(const std::vector<TensorRef>& tensors,
                               const std::map<std::string, std::string>& metadata);

// Where a tensor's bytes are, until the next one's are asked for.
using TensorBytes = std::function<const void*(const TensorRef&)>;

// Writes a new file, tensors of wide elements first, and syncs it; returns its crc32c. Nothing with that
// name may exist. StorageError where it cannot be written. `bytes` is asked once for each tensor, in the file's order;
// `work`, unless null, is told what is written.
uint32_t write_safetensors(
    FileOps& files, const std::string& path, const std::vector<TensorRef>& tensors,
    const std::map<std::string, std::string>& metadata,
    const TensorBytes& bytes = [](const TensorRef& tensor) { return tensor.data; }, ShownWork* work = nullptr);

}  // namespace sft
