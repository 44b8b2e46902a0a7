// PASCAL VOC's XML, a file a picture: <annotation><size><width/><height/></size><object><name/><difficult/>
// <bndbox><xmin/><ymin/><xmax/><ymax/></bndbox></object>…</annotation>. Pixels are counted from 1, and the last one
// belongs to the box.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "base/utf8.h"
#include "data/readers/decorated_source.h"
#include "data/readers/file_tests.h"
#include "data/readers/voc_lists.h"
#include "data/readers/xml.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

class Annotated {
 public:
  Annotated(const std::string& file) : file_(file), root_(parse_xml(read_file(file), file)) {}

  RawBoxes boxes() const {
    if (root_.name != "annotation")
      fail(root_, concat("its root is <", root_.name, ">, and <annotation> belongs there"));
    RawBoxes out;
    if (const XmlElement* size = root_.find("size"); size != nullptr) {
      out.height = side(*size, "height");
      out.width = side(*size, "width");
    }
    for (const XmlElement& object : root_.children)
      if (object.name == "object") out.boxes.push_back(box_of(object));
    return out;
  }

 private:
  [[noreturn]] void fail(const XmlElement& element, const std::string& problem) const {
    throw BadRow(concat(file_, ":", element.line, ": ", problem));
  }

  const XmlElement& child(const XmlElement& of, const char* name) const {
    const XmlElement* found = of.find(name);
    if (found == nullptr) fail(of, concat("<", of.name, "> has no <", name, ">"));
    return *found;
  }

  double number(const XmlElement& of, const char* name) const {
    const XmlElement& told = child(of, name);
    double value = 0;
    const char* const end = told.text.data() + told.text.size();
    const auto [read, error] = std::from_chars(told.text.data(), end, value);
    if (error != std::errc() || read != end)
      fail(told, concat("<", name, "> is ", in_quotes(told.text), ", no number"));
    return value;
  }

  // Of the picture, in pixels; 0: not told.
  int64_t side(const XmlElement& of, const char* name) const {
    constexpr double kLongest = 1 << 30;
    const double value = number(of, name);
    if (!(value >= 0 && value <= kLongest && value == std::floor(value)))
      fail(child(of, name), concat("<", name, "> is ", value, ", and a number of pixels belongs there"));
    return static_cast<int64_t>(value);
  }

  RawBox box_of(const XmlElement& object) const {
    const XmlElement& corners = child(object, "bndbox");
    RawBox box{.place = concat(file_, ":", object.line, ": object"), .label = child(object, "name").text};
    if (box.label.empty()) fail(object, "<object> has an empty <name>");
    if (!is_valid_utf8(box.label)) fail(child(object, "name"), concat("<name> is ", utf8_problem(box.label)));
    box.corners = {number(corners, "xmin") - 1, number(corners, "ymin") - 1, number(corners, "xmax"),
                   number(corners, "ymax")};
    const XmlElement* difficult = object.find("difficult");
    box.is_difficult = difficult != nullptr && difficult->text != "0" && !difficult->text.empty();
    return box;
  }

  std::string file_;
  XmlElement root_;
};

class VocBoxes final : public DecoratedSource {
 public:
  VocBoxes(std::vector<std::string> pictures, std::vector<std::string> annotations, std::string note)
      : DecoratedSource(these_image_files(std::move(pictures)), present(annotations), std::move(note)),
        annotations_(std::move(annotations)) {}

  RawBoxes boxes(int64_t i) const override {
    const std::string& file = annotations_[static_cast<size_t>(i)];
    if (!is_file(file))
      throw BadRow(
          concat(place(i), ": there is no ", file, "; write one, without <object> where nothing is on the picture"));
    try {
      return Annotated(file).boxes();
    } catch (const BadRow&) {
      throw;
    } catch (const DataError& error) {
      throw BadRow(error.what());
    }
  }

 private:
  static std::vector<std::string> present(std::vector<std::string> files) {
    std::erase_if(files, [](const std::string& file) { return !is_file(file); });
    return files;
  }

  std::vector<std::string> annotations_;
};

bool has_xml(const fs::path& folder) {
  if (!fs::is_directory(folder)) return false;
  return std::ranges::any_of(fs::directory_iterator(folder), [](const fs::directory_entry& entry) {
    return entry.is_regular_file() && entry.path().extension() == ".xml";
  });
}

// Of folders without lists: the annotations, and of each its picture in a folder beside them.
std::unique_ptr<ImageSource> all_of(const fs::path& root, const fs::path& folder) {
  std::vector<std::string> annotations, pictures;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".xml") annotations.push_back(entry.path().string());
  std::ranges::sort(annotations);
  for (const std::string& file : annotations) {
    const std::string name = fs::path(file).stem().string();
    std::string picture;
    for (const fs::path& beside : {root / "JPEGImages", root / "images", root, folder})
      if (picture.empty()) picture = picture_named(beside, name);
    if (picture.empty())
      throw DataError(concat(file, ": there is no picture ", name, ".jpg or .png in JPEGImages/ or images/ of ",
                             root.string(), ", nor beside the file"));
    pictures.push_back(picture);
  }
  return std::make_unique<VocBoxes>(std::move(pictures), std::move(annotations),
                                    concat("pictures of ", folder.string(), "/*.xml"));
}

}  // namespace

std::unique_ptr<ImageSource> open_voc_boxes(const std::string& path, bool boxes, const std::string& split) {
  const fs::path root = fs::path(path).lexically_normal();
  if (!boxes && fs::is_directory(root / "JPEGImages")) return open_image_files((root / "JPEGImages").string());
  if (!fs::is_directory(root) || fs::is_directory(root / "ImageSets")) {
    auto found = voc_list(path, "Main", split);
    if (!found) return nullptr;
    if (!boxes) return these_image_files(std::move(found->pictures));
    std::vector<std::string> annotations;
    for (const std::string& name : found->names)
      annotations.push_back((found->root / "Annotations" / (name + ".xml")).string());
    return std::make_unique<VocBoxes>(std::move(found->pictures), std::move(annotations),
                                      concat("pictures of ", found->list.string()));
  }
  if (!boxes) return nullptr;
  for (const fs::path& folder : {root / "Annotations", root / "annotations", root})
    if (has_xml(folder)) return all_of(root, folder);
  return nullptr;
}

}  // namespace sft
