#include "trainer/tasks/object_detection/boxes_without_token.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/tasks/object_detection/rows/box_columns.h"

namespace sft {

void tell_boxes_without_token(const Dataset& dataset, const nlohmann::json& model, Communicator& control) {
  const size_t place = dataset.schema().place(kBoxFlags);
  const int64_t tokens = model.value("num_detection_tokens", int64_t{0});
  std::vector<int64_t> pictures_and_boxes(2);
  together(control, [&] {
    Packed cell(dataset.schema().columns[place].number);
    const auto [first, end] = range_of(dataset.size(), {control.rank(), control.size()});
    for (int64_t i = first; i < end; ++i) {
      cell.clear();
      dataset.append(i, place, cell);
      const auto learned = std::ranges::count_if(cell.as<uint8_t>(), [](uint8_t flags) { return (flags & kCrowd) == 0; });
      const int64_t beyond = learned - tokens;
      pictures_and_boxes[0] += beyond > 0;
      pictures_and_boxes[1] += std::max<int64_t>(beyond, 0);
    }
  });
  control.all_reduce(Buffer::of(std::span<int64_t>(pictures_and_boxes)));
  if (control.rank() != 0 || pictures_and_boxes[0] == 0) return;
  log::warn(concat(pictures_and_boxes[0], " training images have more boxes than the model has detection tokens, ",
                   tokens, ", by ", pictures_and_boxes[1],
                   " boxes in all: in each update those that no token is matched with are ",
                   "not learned. A model with more tokens (num_detection_tokens) learns them"));
}

}  // namespace sft
