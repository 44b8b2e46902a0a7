// Boxes beside a picture: COCO's JSON, VOC's XML, or YOLO's text and YAML, as the first byte says.
#include "data/images/mask.h"
#include "data/readers/image_source.h"
#include "fuzz/input.h"

SFT_FUZZ(input) {
  using namespace sft;
  static const fuzz::Folder images = fuzz::folder().below("images"), labels = fuzz::folder().below("labels");
  static const std::string picture = images.put("a.png", encode_image({2, 2, std::vector<uint8_t>(12, 9)}));
  fuzz::allow_errors([&] {
    const char first = input.empty() ? '\0' : input.front();
    std::string path = images.path();
    std::filesystem::remove(images.path() + "/a.xml");  // of the input before
    std::filesystem::remove(labels.path() + "/a.txt");
    if (first == '{') path = images.put("boxes.json", input);
    if (first == '<') images.put("a.xml", input);
    if (first >= '0' && first <= '9') labels.put("a.txt", input);
    if (first >= 'a') path = fuzz::folder().put("data.yaml", input);
    const auto source = open_boxed_images(path, true, "train");
    source->class_names();
    for (int64_t i = 0; i < source->size(); ++i) source->boxes(i);
  });
}
