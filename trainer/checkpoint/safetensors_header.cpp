// The header is parsed as events, never as a tree: a hostile one of 100 MB may not cost a multiple of that
// in memory, and only the one shape that the format allows is followed.
#include "trainer/checkpoint/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/checkpoint/dtype.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr size_t kMostDimensions = 16;
constexpr size_t kMostMetadata = 65536;

// One tensor as the header tells it; `begin` and `end` count from the first byte of data.
struct Entry {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  int64_t begin = 0, end = 0;
};

class HeaderReader final : public json::json_sax_t {
 public:
  explicit HeaderReader(const std::string& path) : path_(path) {}

  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;

  bool start_object(size_t) override {
    if (place_ == Place::start)
      place_ = Place::root;
    else if (place_ == Place::entry)
      open_entry();
    else
      wrong("an object where none may be");
    return true;
  }

  bool key(std::string& name) override {
    if (place_ == Place::root) {
      name_ = name;
      place_ = Place::entry;
    } else if (place_ == Place::tensor) {
      open_field(name);
    } else {
      if (metadata.size() == kMostMetadata) wrong(concat("more than ", kMostMetadata, " entries of metadata"));
      if (metadata.contains(name)) wrong(concat("the key ", in_quotes(name), " stands twice"));
      metadata_key_ = name;
    }
    return true;
  }

  bool string(std::string& value) override {
    if (place_ == Place::metadata) {
      metadata.emplace(metadata_key_, value);
    } else if (place_ == Place::tensor && field_ == kDtype) {
      if (bytes_of_dtype(value) == 0) wrong(concat("the dtype ", in_quotes(value), " is not known here"));
      entries.back().dtype = value;
    } else {
      wrong("a string where none may be");
    }
    return true;
  }

  bool start_array(size_t) override {
    if (place_ != Place::tensor || (field_ != kShape && field_ != kOffsets)) wrong("a list where none may be");
    place_ = Place::numbers;
    numbers_.clear();
    return true;
  }

  bool number_unsigned(uint64_t value) override {
    if (place_ != Place::numbers) wrong("a number where none may be");
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) wrong("a number beyond 2^63");
    if (numbers_.size() == kMostDimensions) wrong(concat("a list of more than ", kMostDimensions, " numbers"));
    numbers_.push_back(static_cast<int64_t>(value));
    return true;
  }

  bool end_array() override {
    place_ = Place::tensor;
    if (field_ == kShape) {
      entries.back().shape.assign(numbers_.begin(), numbers_.end());
    } else {
      if (numbers_.size() != 2) wrong("data_offsets are not two numbers");
      entries.back().begin = numbers_[0];
      entries.back().end = numbers_[1];
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor && fields_seen_ != (kDtype | kShape | kOffsets))
      wrong("dtype, shape or data_offsets is missing");
    place_ = place_ == Place::root ? Place::finished : Place::root;
    return true;
  }

  bool null() override { return wrong("null where none may be"); }
  bool boolean(bool) override { return wrong("a boolean where none may be"); }
  bool number_integer(int64_t) override { return wrong("a negative number"); }
  bool number_float(double, const std::string&) override { return wrong("a number that is not a plain integer"); }
  bool binary(json::binary_t&) override { return wrong("binary data"); }
  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    return wrong(concat("not valid JSON at byte ", position));
  }

 private:
  enum class Place { start, root, entry, tensor, metadata, numbers, finished };
  enum Field : unsigned { kNone = 0, kDtype = 1, kShape = 2, kOffsets = 4 };

  void open_entry() {
    if (name_ == "__metadata__") {
      if (metadata_seen_) wrong("__metadata__ stands twice");
      metadata_seen_ = true;
      place_ = Place::metadata;
    } else {
      entries.emplace_back().name = name_;
      fields_seen_ = kNone;
      place_ = Place::tensor;
    }
  }

  void open_field(const std::string& name) {
    field_ = name == "dtype" ? kDtype : name == "shape" ? kShape : name == "data_offsets" ? kOffsets : kNone;
    if (field_ == kNone) wrong(concat("the key ", in_quotes(name), " is not part of the format"));
    if (fields_seen_ & field_) wrong(concat("the key ", in_quotes(name), " stands twice"));
    fields_seen_ |= field_;
  }

  [[noreturn]] bool wrong(const std::string& what) const {
    const bool inside = place_ == Place::tensor || place_ == Place::numbers || place_ == Place::entry;
    throw DataError(concat(path_, ": safetensors header", inside ? ", tensor " + in_quotes(name_) : "", ": ", what));
  }

  const std::string& path_;
  Place place_ = Place::start;
  Field field_ = kNone;
  unsigned fields_seen_ = kNone;
  bool metadata_seen_ = false;
  std::string name_, metadata_key_;
  std::vector<int64_t> numbers_;
};

// Bytes of the entry by shape and dtype; -1 where the product does not fit.
int64_t bytes_needed(const Entry& entry) {
  int64_t bytes = bytes_of_dtype(entry.dtype);
  for (const int64_t extent : entry.shape)
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return -1;
  return bytes;
}

void reject_duplicates(const std::vector<Entry>& entries, const std::string& path) {
  std::vector<const Entry*> by_name;
  for (const Entry& entry : entries) by_name.push_back(&entry);
  const auto name = [](const Entry* entry) -> const std::string& { return entry->name; };
  std::ranges::sort(by_name, {}, name);
  const auto twice = std::ranges::adjacent_find(by_name, {}, name);
  if (twice != by_name.end())
    throw DataError(concat(path, ": safetensors header: tensor ", in_quotes((*twice)->name), " stands twice"));
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, void* data, int64_t data_bytes,
                                           const std::string& path) {
  if (!text.starts_with('{'))
    throw DataError(concat(path, ": not a safetensors file: its header does not begin with '{'"));
  HeaderReader reader(path);
  json::sax_parse(text.begin(), text.end(), &reader);
  reject_duplicates(reader.entries, path);

  std::ranges::sort(reader.entries, {}, [](const Entry& entry) { return std::pair(entry.begin, entry.end); });
  SafetensorsHeader header{{}, std::move(reader.metadata)};
  header.tensors.reserve(reader.entries.size());
  int64_t position = 0;
  for (Entry& entry : reader.entries) {
    const auto wrong = [&](const std::string& what) {
      throw DataError(concat(path, ": tensor ", in_quotes(entry.name), ": ", what));
    };
    if (entry.begin != position || entry.end < entry.begin)
      wrong(concat("data_offsets ", entry.begin, " to ", entry.end, " where it should begin at ", position));
    if (entry.end > data_bytes)
      wrong(concat("its data ends at byte ", entry.end, ", but the file holds ", data_bytes,
                   " bytes of data: the file is cut short"));
    const int64_t bytes = entry.end - entry.begin;
    if (bytes_needed(entry) != bytes)
      wrong(concat(bytes, " bytes of data do not fit its shape and dtype ", entry.dtype));
    position = entry.end;
    header.tensors.push_back({std::move(entry.name), std::move(entry.dtype), std::move(entry.shape),
                              static_cast<std::byte*>(data) + entry.begin, bytes});
  }
  if (position != data_bytes)
    throw DataError(concat(path, ": ", data_bytes - position, " bytes behind the last tensor belong to none"));
  return header;
}

}  // namespace sft
