// The manifest's own checksum covers its text, not its meaning, so that any language can verify it
// without agreeing on how numbers are printed.
#include "trainer/checkpoint/manifest.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/text.h"
#include "trainer/checkpoint/plain_name.h"
#include "trainer/checkpoint/strict_json.h"

namespace sft {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kFormat = "sft-dist checkpoint";
constexpr int64_t kVersion = 2;            // files may hold several slices of a tensor, which say where they start
constexpr int64_t kVersionOfOneSlice = 1;  // a file
constexpr std::string_view kTailHead = " \"crc32c\": \"";
constexpr std::string_view kTailEnd = "\"\n}\n";
constexpr size_t kDigits = 8;

ordered_json tensors_to_json(const std::vector<TensorEntry>& tensors) {
  ordered_json table = ordered_json::array();
  for (const TensorEntry& tensor : tensors) {
    ordered_json slices = ordered_json::array();
    for (const FileSlice& slice : tensor.slices) {
      slices.push_back(ordered_json{{"file", slice.file}, {"offset", slice.offset}, {"bytes", slice.bytes}});
      if (slice.start > 0) slices.back()["start"] = slice.start;
    }
    table.push_back(ordered_json{{"name", tensor.name},
                                 {"dtype", tensor.dtype},
                                 {"shape", tensor.shape},
                                 {"bytes", tensor.bytes},
                                 {"slices", std::move(slices)}});
  }
  return table;
}

// Of the oldest version that can say it, so that programs of before read what they can.
int64_t version_of(const Manifest& manifest) {
  for (const TensorEntry& tensor : manifest.optimizer)
    for (const FileSlice& slice : tensor.slices)
      if (slice.start > 0) return kVersion;
  return kVersionOfOneSlice;
}

// Reads fields of one manifest; every wrong one is a DataError that names it.
class Reader {
 public:
  explicit Reader(const std::string& where) : where_(where) {}

  [[noreturn]] void wrong(const std::string& what) const { throw DataError(concat(where_, ": ", what)); }

  const json& field(const json& object, const char* key) const {
    if (!object.is_object() || !object.contains(key)) wrong(concat("field '", key, "' is missing"));
    return object.at(key);
  }
  std::string text(const json& object, const char* key) const {
    const json& value = field(object, key);
    if (!value.is_string()) wrong(concat("field '", key, "' is not a string"));
    return value.get<std::string>();
  }
  std::string file_name(const json& object, const char* key) const {
    std::string name = text(object, key);
    if (!is_plain_name(name)) wrong(concat("the file name ", in_quotes(name), " leads out of the directory"));
    return name;
  }
  int64_t count_in(const json& value, const char* key) const {
    if (!value.is_number_unsigned() || value.get<uint64_t>() > std::numeric_limits<int64_t>::max())
      wrong(concat("field '", key, "' holds something that is not a count"));
    return value.get<int64_t>();
  }
  int64_t count(const json& object, const char* key) const { return count_in(field(object, key), key); }
  uint32_t checksum(const json& object, const char* key) const {
    const std::string digits = text(object, key);
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != kDigits || error != std::errc{} || end != digits.data() + digits.size())
      wrong(concat("field '", key, "' is not a checksum"));
    return value;
  }
  const json& list(const json& object, const char* key) const {
    const json& value = field(object, key);
    if (!value.is_array()) wrong(concat("field '", key, "' is not a list"));
    return value;
  }

  std::vector<TensorEntry> tensors(const json& object, const char* key, const Manifest& manifest) const {
    std::vector<TensorEntry> table;
    for (const json& item : list(object, key)) {
      TensorEntry tensor{text(item, "name"), text(item, "dtype"), {}, count(item, "bytes"), {}};
      for (const json& extent : list(item, "shape")) tensor.shape.push_back(count_in(extent, "shape"));
      int64_t position = 0;
      for (const json& piece : list(item, "slices")) {
        FileSlice slice{file_name(piece, "file"), count(piece, "offset"), count(piece, "bytes"),
                        piece.contains("start") ? count(piece, "start") : 0};
        if (slice.offset != position || slice.bytes > tensor.bytes - position || !manifest.find_file(slice.file))
          wrong(concat("tensor ", in_quotes(tensor.name), ": its slices do not cover it once"));
        position += slice.bytes;
        tensor.slices.push_back(std::move(slice));
      }
      if (position != tensor.bytes) wrong(concat("tensor ", in_quotes(tensor.name), ": slices are missing"));
      table.push_back(std::move(tensor));
    }
    return table;
  }

 private:
  const std::string& where_;
};

// The text without its last field, once that field has been found to be the checksum of what precedes it.
void verify_own_checksum(const std::string& text, const Reader& read) {
  const size_t tail = kTailHead.size() + kDigits + kTailEnd.size();
  if (text.size() < tail) read.wrong("too short for a manifest");
  const std::string_view body(text.data(), text.size() - tail);
  const std::string expected = concat(kTailHead, hex_of(crc32c(body.data(), body.size())), kTailEnd);
  if (std::string_view(text).substr(body.size()) != expected)
    read.wrong("its own checksum does not match: torn or altered");
}

}  // namespace

bool is_of_another_program(const std::string& text) {
  const json root = json::parse(text, nullptr, false);
  return root.is_object() && !root.contains("format") && !root.contains("run_id") && !root.contains("files");
}

std::string hex_of(uint32_t checksum) {
  std::string digits(kDigits, '0');
  for (size_t k = 0; k < kDigits; ++k) digits[kDigits - 1 - k] = "0123456789abcdef"[(checksum >> (4 * k)) & 15];
  return digits;
}

const FileEntry* Manifest::find_file(const std::string& name) const {
  const auto found = std::ranges::find(files, name, &FileEntry::name);
  return found == files.end() ? nullptr : &*found;
}

std::string to_text(const Manifest& manifest) {
  ordered_json root = {{"format", kFormat},
                       {"version", version_of(manifest)},
                       {"run_id", manifest.run_id},
                       {"step", manifest.step},
                       {"world", manifest.world},
                       {"resumable", manifest.resumable},
                       {"state_digest", hex_of(manifest.state_digest)},
                       {"settings", manifest.settings},
                       {"files", ordered_json::array()},
                       {"model", tensors_to_json(manifest.model)},
                       {"optimizer", tensors_to_json(manifest.optimizer)}};
  for (const FileEntry& file : manifest.files)
    root["files"].push_back(ordered_json{{"name", file.name}, {"bytes", file.bytes}, {"crc32c", hex_of(file.crc32c)}});

  std::string text = root.dump(1, ' ', false, ordered_json::error_handler_t::replace);
  text.resize(text.size() - 2);  // the closing "\n}"
  text += ",\n";
  const std::string checksum = hex_of(crc32c(text.data(), text.size()));
  return concat(text, kTailHead, checksum, kTailEnd);
}

Manifest parse_manifest(const std::string& text, const std::string& where) {
  const Reader read(where);
  verify_own_checksum(text, read);
  const json root = parse_strict_json(text, where);
  if (read.text(root, "format") != kFormat) read.wrong("not the manifest of a checkpoint");
  if (const int64_t version = read.count(root, "version"); version < kVersionOfOneSlice || version > kVersion)
    read.wrong(
        concat("format version ", version, "; this program reads versions ", kVersionOfOneSlice, " to ", kVersion));

  Manifest manifest;
  manifest.run_id = read.text(root, "run_id");
  manifest.step = read.count(root, "step");
  manifest.world = static_cast<int>(read.count(root, "world"));
  manifest.resumable = read.field(root, "resumable") == true;
  manifest.state_digest = read.checksum(root, "state_digest");
  manifest.settings = read.field(root, "settings");
  for (const json& item : read.list(root, "files"))
    manifest.files.push_back({read.file_name(item, "name"), read.count(item, "bytes"), read.checksum(item, "crc32c")});
  manifest.model = read.tensors(root, "model", manifest);
  manifest.optimizer = read.tensors(root, "optimizer", manifest);
  return manifest;
}

}  // namespace sft
