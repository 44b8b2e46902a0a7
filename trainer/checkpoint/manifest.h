// What stands in a checkpoint: manifest.json, the last file written and the first one read. It lists every
// file with its checksum and every tensor with the files that hold its bytes.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sft {

struct FileEntry {
  std::string name;
  int64_t bytes = 0;
  uint32_t crc32c = 0;
};

// Bytes [offset, offset + bytes) of a tensor, which stand in `file` under the tensor's name, from its byte `start` on.
struct FileSlice {
  std::string file;
  int64_t offset = 0;
  int64_t bytes = 0;
  int64_t start = 0;
};

// The whole tensor; its slices are sorted and cover it without gap or overlap.
struct TensorEntry {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  int64_t bytes = 0;
  std::vector<FileSlice> slices;
};

struct Manifest {
  std::string run_id;  // the same for a run and all its resumptions
  int64_t step = 0;
  int world = 1;  // ranks that wrote it
  bool resumable = true;
  uint32_t state_digest = 0;  // crc32c of trainer_state.json
  nlohmann::json settings;
  std::vector<FileEntry> files;
  std::vector<TensorEntry> model;
  std::vector<TensorEntry> optimizer;

  const FileEntry* find_file(const std::string& name) const;
};

inline constexpr char kManifestName[] = "manifest.json";
inline constexpr char kStateName[] = "trainer_state.json";

// JSON whose last field is the crc32c of all bytes before that line.
std::string to_text(const Manifest& manifest);

// DataError, naming `where`, unless checksum, fields, names and slices are right.
Manifest parse_manifest(const std::string& text, const std::string& where);

// Whether it is JSON that never was a manifest of this program; what is torn may have been one.
bool is_of_another_program(const std::string& text);

// Checksums are written as eight hexadecimal digits.
std::string hex_of(uint32_t checksum);

}  // namespace sft
