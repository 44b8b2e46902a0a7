#include "data/readers/row.h"

#include <utility>

#include "base/text.h"

namespace sft {

std::string_view name_of(Cell::Kind kind) {
  switch (kind) {
    case Cell::Kind::null:
      return "null";
    case Cell::Kind::boolean:
      return "a boolean";
    case Cell::Kind::number:
      return "a number";
    case Cell::Kind::text:
      return "a string";
    case Cell::Kind::plain:
      return "text";
    case Cell::Kind::nested:
      return "an object";
    case Cell::Kind::list:
      return "an array";
    case Cell::Kind::bytes:
      return "bytes";
  }
  return "";
}

std::string describe(const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::null:
      return "null";
    case Cell::Kind::nested:
    case Cell::Kind::list:
      return "an " + cell.text;
    case Cell::Kind::number:
      return "the number " + cell.text;
    case Cell::Kind::boolean:
      return cell.text;
    case Cell::Kind::bytes:
      return concat(cell.text.size(), " bytes that are no text");
    default:
      return in_quotes(cell.text);
  }
}

Decoded decode_picture(const std::string& bytes, const std::string& place) {
  try {
    return decode_image(bytes, place);
  } catch (const DataError& error) {
    throw BadRow(error.what());
  }
}

Mask Picture::mask() const { throw BadRow(concat(place(), ": has no mask")); }
RawBoxes Picture::boxes() const { throw BadRow(concat(place(), ": has no boxes")); }

std::string Row::place() const { return picture ? picture->place() : concat(*file, ":", line); }

size_t Row::bytes() const {
  size_t bytes = 0;
  for (size_t i = 0; i < size_; ++i) {
    bytes += fields_[i].cell.text.size();
    if (fields_[i].cell.kind != Cell::Kind::list) continue;
    for (const Cell& item : fields_[i].cell.items) bytes += item.text.size();
  }
  return bytes;
}

const Cell* Cell::find(std::string_view name) const {
  for (size_t i = names.size(); i-- > 0;) {
    if (names[i] == name) return &items[i];
  }
  return nullptr;
}

Cell* Cell::find(std::string_view name) { return const_cast<Cell*>(std::as_const(*this).find(name)); }

Row::Field* Row::field(std::string_view name) {
  for (size_t i = 0; i < size_; ++i) {
    if (fields_[i].name == name) return &fields_[i];
  }
  return nullptr;
}

Cell& Row::add(std::string_view name) {
  if (Field* known = field(name)) return known->cell;
  if (size_ == fields_.size()) fields_.emplace_back();
  Field& added = fields_[size_++];
  added.name.assign(name);
  return added.cell;
}

const Cell* Row::find(std::string_view name) const {
  for (size_t i = 0; i < size_; ++i) {
    if (fields_[i].name == name) return &fields_[i].cell;
  }
  return nullptr;
}

Cell* Row::find(std::string_view name) {
  Field* const found = field(name);
  return found == nullptr ? nullptr : &found->cell;
}

std::vector<std::string> Row::names() const {
  std::vector<std::string> out;
  for (size_t i = 0; i < size_; ++i) out.push_back(fields_[i].name);
  return out;
}

}  // namespace sft
