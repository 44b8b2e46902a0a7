// What an HDF5 file holds and where its bytes lie, as plain values: all that reading needs, so that no
// reader ever hands a file to the HDF5 library itself. `survey` makes it, in a process of its own, and
// it travels from there as CBOR.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sft::hdf5 {

enum class Class { integer, floating, text, other };

struct Type {
  Class kind = Class::other;
  int64_t bytes = 0;  // an element
  bool is_signed = false;
  bool big_endian = false;
  std::string name;  // "uint16", "float32", "variable-length string": for messages
  bool operator==(const Type&) const = default;
};

struct Filter {
  int id = 0;                    // H5Z_filter_t
  std::vector<uint32_t> values;  // its parameters
  bool operator==(const Filter&) const = default;
};

struct Chunk {
  std::vector<int64_t> origin;   // index of its first element
  int64_t offset = 0;            // in the file
  int64_t bytes = 0;             // there
  uint32_t skipped_filters = 0;  // bit i: filter i was not applied to it
  bool operator==(const Chunk&) const = default;
};

enum class Storage { contiguous, chunked, compact };

struct DatasetLayout {
  std::string name;  // path without the leading '/'
  Type type;
  std::vector<int64_t> shape;  // empty: one value
  Storage storage = Storage::contiguous;
  int64_t stored_bytes = 0;
  int64_t offset = -1;               // contiguous: in the file; −1 where nothing is stored
  std::vector<uint8_t> compact;      // compact: the bytes themselves
  std::vector<int64_t> chunk_shape;  // chunked
  std::vector<Filter> filters;       // in the order in which they were applied
  std::vector<Chunk> chunks;
  std::vector<uint8_t> fill;  // one element; empty: zeros
  bool operator==(const DatasetLayout&) const = default;
};

// Of a group. One of the three lists is filled.
struct Attribute {
  std::string name;
  std::string type;
  std::vector<int64_t> shape;
  std::vector<int64_t> integers;
  std::vector<double> reals;
  std::vector<std::string> texts;
  bool operator==(const Attribute&) const = default;
};

// A group below the root that has attributes.
struct GroupLayout {
  std::string name;  // path without the leading '/'
  std::vector<Attribute> attributes;

  const Attribute* attribute(std::string_view name) const;  // null where there is none
  bool operator==(const GroupLayout&) const = default;
};

struct FileLayout {
  std::vector<Attribute> attributes;  // of the root group
  std::vector<GroupLayout> groups;
  std::vector<DatasetLayout> datasets;

  const Attribute* attribute(std::string_view name) const;  // null where there is none
  const GroupLayout* group(std::string_view name) const;
  const DatasetLayout* dataset(std::string_view name) const;
  bool operator==(const FileLayout&) const = default;
};

// INT64_MAX where the product is more than that.
int64_t num_elements(const std::vector<int64_t>& shape);

std::string shape_text(const std::vector<int64_t>& shape);  // "[3, 128]"

// What a survey says: a layout, or why there is none.
struct Finding {
  std::string error;
  FileLayout layout;
};
std::vector<uint8_t> encode(const Finding& finding);
Finding decode(const std::vector<uint8_t>& bytes);  // std::exception where the bytes are not a whole finding

}  // namespace sft::hdf5
