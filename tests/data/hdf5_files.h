// HDF5 files for tests, written with the library itself: right ones, odd ones and hostile ones.
#pragma once

#include <hdf5.h>
#include <unistd.h>

#include <cassert>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/random.h"
#include "data/hdf5/handle.h"
#include "data/samples/shard_writer.h"
#include "support/texts.h"

namespace sft::test {

// A folder of its own, gone at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sft-data-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      found.push_back(entry.path().filename().string());
    return found;
  }

 private:
  std::string path_;
};

inline std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void put_content(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

// How `body` fails: the message of its error of type E, or "" and a failed test where it does not fail so.
template <class E, class Body>
std::string refusal(Body body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  }
  return "(nothing was refused)";
}

inline ShardInfo sample_info() {
  ShardInfo info;
  info.schema = text_schema(label_column(3), 30000);
  info.max_length = 64;
  info.tokenizer_sha256 = "0123abcd";
  info.label_names = {"cat", "guinea pig", "größe"};
  info.sources = {{"train.jsonl", "ffee"}};
  info.creation_command = "sft-dist prepare";
  return info;
}

// Sample i of an endless ragged sequence that fits sample_info().
inline Text sample(int64_t i, const ShardInfo& info = sample_info()) {
  const auto bits = [&](const char* what, int64_t k) {
    return static_cast<int64_t>(derive_key(static_cast<uint64_t>(i), what, static_cast<uint64_t>(k)) >> 2);
  };
  Text out;
  const Schema& schema = info.schema;
  const Column& target = schema.columns[1];
  const int64_t length = 1 + bits("length", 0) % info.max_length;
  for (int64_t t = 0; t < length; ++t) {
    out.tokens.push_back(static_cast<int32_t>(bits("token", t) % schema.columns[0].bound));
    if (schema.find("segments") != nullptr) out.segments.push_back(static_cast<uint8_t>(2 * t >= length));
  }
  if (target.number == Number::int64) out.label = bits("label", 0) % 3;
  for (int64_t k = 0; target.number == Number::float32 && k < target_count(schema); ++k) {
    const int64_t drawn = bits("label", k);
    out.values.push_back(target.bound == 2 ? static_cast<float>(drawn % 2)
                                           : static_cast<float>(drawn % 2001) / 8.0f - 125.0f);
  }
  for (int64_t t = 0; target.number == Number::int32 && t < length; ++t)
    out.token_labels.push_back(bits("label", t) % 4 == 3 ? -100 : static_cast<int32_t>(bits("label", t) % 4));
  if (info.has_weights) out.weight = static_cast<float>(bits("weight", 0) % 100) / 8.0f;
  return out;
}

inline void write_shard(const std::string& path, int64_t first, int64_t end, const ShardInfo& info = sample_info()) {
  ShardWriter writer(path, info, real_files());
  for (int64_t i = first; i < end; ++i) {
    Sample next = sample_of(info.schema, sample(i, info));
    next.row = i - first;
    writer.append(next);
  }
  writer.finish();
}

// A file in the making. Every call must work: these are the tests' own files.
class Hdf5File {
 public:
  explicit Hdf5File(const std::string& path) : id_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  hid_t id() const { return id_.get(); }

  // How a dataset is kept.
  struct Form {
    hid_t stored = H5I_INVALID_HID;  // type in the file; the memory's where it is none
    std::vector<hsize_t> chunk;
    bool shuffle = false, deflate = false, fletcher32 = false;
  };

  template <class T>
  void add(const std::string& name, const std::vector<hsize_t>& shape, const std::vector<T>& values, const Form& form) {
    const hid_t memory = type<T>();
    const hdf5::Properties creation(H5Pcreate(H5P_DATASET_CREATE));
    if (!form.chunk.empty()) H5Pset_chunk(creation.get(), static_cast<int>(form.chunk.size()), form.chunk.data());
    if (form.shuffle) H5Pset_shuffle(creation.get());
    if (form.deflate) H5Pset_deflate(creation.get(), 6);
    if (form.fletcher32) H5Pset_fletcher32(creation.get());
    add(name, shape, form.stored >= 0 ? form.stored : memory, creation.get(), memory,
        values.empty() ? nullptr : values.data());
  }
  template <class T>
  void add(const std::string& name, const std::vector<hsize_t>& shape, const std::vector<T>& values) {
    add(name, shape, values, Form{});
  }

  // With all that the library knows. `values` null: nothing is written.
  void add(const std::string& name, const std::vector<hsize_t>& shape, hid_t stored, hid_t creation, hid_t memory = -1,
           const void* values = nullptr) {
    const hdf5::Space space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
    const hdf5::DatasetId dataset(
        H5Dcreate2(id(), name.c_str(), stored, space.get(), H5P_DEFAULT, creation, H5P_DEFAULT));
    if (!dataset) std::abort();
    if (values != nullptr && H5Dwrite(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) std::abort();
  }

  void close() {
    if (!id_.close()) std::abort();
  }

 private:
  template <class T>
  static hid_t type() {
    if constexpr (std::is_same_v<T, int64_t>)
      return H5T_NATIVE_INT64;
    else if constexpr (std::is_same_v<T, int32_t>)
      return H5T_NATIVE_INT32;
    else if constexpr (std::is_same_v<T, uint32_t>)
      return H5T_NATIVE_UINT32;
    else if constexpr (std::is_same_v<T, float>)
      return H5T_NATIVE_FLOAT;
    else
      return H5T_NATIVE_DOUBLE;
  }
  hdf5::File id_;
};

}  // namespace sft::test
