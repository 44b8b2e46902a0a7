// Numbers are read once each and compared with the file's size before anything is read where they point to.
#include "base/zip_entries.h"

#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr uint32_t kCentral = 0x02014b50, kLocal = 0x04034b50;
constexpr uint64_t kEndBytes = 22, kLocatorBytes = 20, kEnd64Bytes = 56, kCentralBytes = 46, kLocalBytes = 30;
constexpr uint64_t kMostCommentBytes = 65535, kMostEntries = 1 << 20;
constexpr uint32_t kIn64 = 0xFFFFFFFF;  // in place of a number that stands in the zip64 part
constexpr uint16_t kExtra64 = 1;

class Archive {
 public:
  Archive(std::string_view file, const std::string& path) : file_(file), path_(path) {}

  std::map<std::string, ZipEntry> entries() const {
    const Table table = find_table();
    std::map<std::string, ZipEntry> all;
    uint64_t at = table.offset;
    for (uint64_t i = 0; i < table.entries; ++i) {
      if (!holds(at, kCentralBytes, table.end) || number<uint32_t>(at) != kCentral)
        wrong(concat("entry ", i, " of its table of contents is damaged"));
      const uint64_t name_bytes = number<uint16_t>(at + 28), extra_bytes = number<uint16_t>(at + 30);
      const uint64_t behind = kCentralBytes + name_bytes + extra_bytes + number<uint16_t>(at + 32);
      if (!holds(at, behind, table.end)) wrong(concat("entry ", i, " of its table of contents is cut short"));
      const std::string name(file_.substr(at + kCentralBytes, name_bytes));
      if (!all.emplace(name, place_of(name, at, name_bytes, extra_bytes, table.offset)).second)
        wrong(concat("the entry ", in_quotes(name), " stands twice"));
      at += behind;
    }
    return all;
  }

 private:
  struct Table {
    uint64_t entries, offset, end;
  };

  [[noreturn]] void wrong(const std::string& what) const { throw DataError(concat(path_, ": zip archive: ", what)); }

  static bool holds(uint64_t offset, uint64_t bytes, uint64_t end) { return offset <= end && bytes <= end - offset; }

  // At an offset that is known to be inside.
  template <class Number>
  Number number(uint64_t offset) const {
    Number value;
    std::memcpy(&value, file_.data() + offset, sizeof value);
    return value;
  }

  Table find_table() const {
    if (file_.size() < kEndBytes) wrong("cut short");
    const uint64_t last = file_.size() - kEndBytes, first = last - std::min(last, kMostCommentBytes);
    uint64_t end = last;
    while (number<uint32_t>(end) != kEnd || number<uint16_t>(end + 20) != last - end)
      if (end-- == first) wrong("it has no end: the file is cut short");
    Table table{number<uint16_t>(end + 10), number<uint32_t>(end + 16), number<uint32_t>(end + 12)};
    if (end >= kLocatorBytes && number<uint32_t>(end - kLocatorBytes) == kLocator64) {
      const auto at = number<uint64_t>(end - kLocatorBytes + 8);
      if (!holds(at, kEnd64Bytes, end - kLocatorBytes) || number<uint32_t>(at) != kEnd64) wrong("its end is damaged");
      table = {number<uint64_t>(at + 32), number<uint64_t>(at + 48), number<uint64_t>(at + 40)};
    }
    if (!holds(table.offset, table.end, end)) wrong("its table of contents lies outside of it");
    table.end += table.offset;
    if (table.entries > kMostEntries) wrong(concat("more than ", kMostEntries, " entries"));
    return table;
  }

  // Of the entry that the table tells of at `central`.
  ZipEntry place_of(const std::string& name, uint64_t central, uint64_t name_bytes, uint64_t extra_bytes,
                    uint64_t end) const {
    const auto refuse = [&](const char* why) { wrong(concat("the entry ", in_quotes(name), " ", why)); };
    if ((number<uint16_t>(central + 8) & 1) != 0) refuse("is encrypted");
    if (number<uint16_t>(central + 10) != 0) refuse("is compressed; torch.save and Keras compress none");
    uint64_t packed = number<uint32_t>(central + 20), bytes = number<uint32_t>(central + 24);
    uint64_t local = number<uint32_t>(central + 42);
    uint64_t extra = central + kCentralBytes + name_bytes;
    for (const uint64_t extra_end = extra + extra_bytes; holds(extra, 4, extra_end);) {
      const uint64_t content = extra + 4, content_end = content + number<uint16_t>(extra + 2);
      if (content_end > extra_end) break;
      if (number<uint16_t>(extra) == kExtra64) {
        uint64_t at = content;
        for (uint64_t* const value : {&bytes, &packed, &local})
          if (*value == kIn64 && holds(at, 8, content_end)) *value = number<uint64_t>(at), at += 8;
      }
      extra = content_end;
    }
    if (packed != bytes) refuse("has two sizes");
    if (!holds(local, kLocalBytes, end) || number<uint32_t>(local) != kLocal) refuse("is not where it should be");
    const uint64_t local_name = number<uint16_t>(local + 26);
    const uint64_t start = local + kLocalBytes + local_name + number<uint16_t>(local + 28);
    if (!holds(start, bytes, end)) refuse("goes beyond the end: the file is cut short");
    if (local_name != name_bytes || file_.substr(local + kLocalBytes, name_bytes) != name) refuse("has two names");
    return {static_cast<int64_t>(start), static_cast<int64_t>(bytes), number<uint32_t>(central + 16)};
  }

  std::string_view file_;
  const std::string& path_;
};

}  // namespace

std::map<std::string, ZipEntry> stored_entries(std::string_view file, const std::string& path) {
  return Archive(file, path).entries();
}

}  // namespace sft
