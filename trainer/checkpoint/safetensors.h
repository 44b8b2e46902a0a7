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

// A file that holds weights, of any format.
class TensorFile {
 public:
  TensorFile() = default;
  virtual ~TensorFile() = default;
  TensorFile(const TensorFile&) = delete;
  TensorFile& operator=(const TensorFile&) = delete;

  // Their data is there as long as the file is: read only, and not always aligned.
  virtual const std::vector<TensorRef>& tensors() const = 0;
  virtual const std::string& path() const = 0;
  virtual bool is_unchanged() const = 0;  // false where somebody has written to it since it was opened
};

// One file, mapped read-only (base/mapped_file.h). DataError naming file and tensor where anything is off.
class SafetensorsFile : public TensorFile {
 public:
  explicit SafetensorsFile(const std::string& path);
  ~SafetensorsFile() override;

  // In the order of their data, which points into the mapping.
  const std::vector<TensorRef>& tensors() const override;
  const TensorRef* find(const std::string& name) const;
  const std::map<std::string, std::string>& metadata() const;
  const std::string& path() const override;
  bool is_unchanged() const override;

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
  std::vector<std::unique_ptr<TensorFile>> files_;
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
