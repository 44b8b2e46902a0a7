// Boxes of a picture, as files tell them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sft {

struct RawBox {
  std::string place;                   // for messages: "instances.json:12: annotation 7"
  std::array<double, 4> corners = {};  // left, top, right, bottom: pixels, or shares of the picture
  std::string label;                   // the name of its class, or its number where no names are told
  bool is_index = false;               // the label is a number
  bool is_crowd = false;               // many objects in one box
  bool is_difficult = false;           // found or not, it is not scored
  bool is_outlined = false;            // the file has the corners of an outline, and this is the box around them
  double area = -1;                    // of the object, in pixels; −1: that of the box
};

struct RawBoxes {
  std::vector<RawBox> boxes = {};
  bool are_shares = false;
  int64_t height = 0, width = 0;  // of the picture that they are of; 0: not told
};

}  // namespace sft
