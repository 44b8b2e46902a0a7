// XML as annotation tools write it: elements and their text. Attributes, comments and instructions are passed over; a
// DOCTYPE with declarations of its own, which may hold entities without end, is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sft {

struct XmlElement {
  std::string name = {};
  std::string text = {};  // its own, without white space at both ends; not that of its children
  int64_t line = 0;       // where it begins, from 1
  std::vector<XmlElement> children = {};

  const XmlElement* find(std::string_view child) const;  // the first of that name; null: none
};

// The root element of a document in UTF-8. DataError "PLACE:LINE: …" where it is no XML, ends too early, or is nested
// more than 64 deep.
XmlElement parse_xml(std::string_view text, const std::string& place);

}  // namespace sft
