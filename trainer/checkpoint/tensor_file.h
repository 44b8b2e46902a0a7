// A file of named tensors, mapped read-only (base/mapped_file.h), whatever its format is: what the formats have in
// common once they have told which tensor lies where.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "trainer/checkpoint/tensor_ref.h"

namespace sft {

class TensorFile {
 public:
  virtual ~TensorFile() = default;
  TensorFile(const TensorFile&) = delete;
  TensorFile& operator=(const TensorFile&) = delete;

  // In the order of their data. Their data are in the mapping, or in memory of this object: read only, not always
  // aligned.
  const std::vector<TensorRef>& tensors() const { return tensors_; }
  const TensorRef* find(const std::string& name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::string& path() const { return path_; }
  // False where somebody has written to it since it was opened (base/mapped_file.h).
  virtual bool is_unchanged() const { return mapped_->is_unchanged(); }

 protected:
  explicit TensorFile(const std::string& path) : TensorFile(path, std::make_unique<MappedFile>(path)) {}
  TensorFile(std::string path, std::unique_ptr<MappedFile> mapped)
      : path_(std::move(path)), mapped_(std::move(mapped)) {}
  const MappedFile& mapped() const { return *mapped_; }
  // DataError where a name stands twice.
  void set_tensors(std::vector<TensorRef> tensors);
  void set_metadata(std::map<std::string, std::string> metadata) { metadata_ = std::move(metadata); }

 private:
  std::string path_;
  std::unique_ptr<MappedFile> mapped_;
  std::vector<TensorRef> tensors_;
  std::map<std::string, std::string> metadata_;
  std::vector<const TensorRef*> by_name_;
};

// A .safetensors file, or one that torch.save wrote, by its name's ending (.bin, .pt, .pth).
std::unique_ptr<TensorFile> open_tensor_file(const std::string& path);

// Whether a name ends as those of files that torch.save wrote.
bool has_torch_ending(const std::string& path);

}  // namespace sft
