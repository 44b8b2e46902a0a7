// COCO's JSON of instances: {"images": [{"id", "file_name", "height", "width"}], "annotations": [{"id", "image_id",
// "category_id", "bbox": [left, top, width, height], "area", "iscrowd"}], "categories": [{"id", "name"}]}, the lists in
// any order. Walked item by item: outlines of objects, which are most of such a file, are read and thrown away.
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "base/errors.h"
#include "base/text.h"
#include "base/utf8.h"
#include "data/readers/decorated_source.h"
#include "data/readers/file_tests.h"
#include "data/readers/json_walk.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Annotation {
  int64_t line = 0, id = 0, category = 0;
  std::array<double, 4> bbox = {};
  double area = -1;
  bool is_crowd = false;
  std::string problem = {};  // "": none
};

struct CocoImage {
  std::string file_name;
  int64_t height = 0, width = 0;
  std::vector<Annotation> annotations = {};
};

struct Coco {
  std::vector<CocoImage> images;
  std::map<int64_t, std::string> categories;  // by id, which may have gaps
};

// Python writes NaN and Infinity, which are no JSON: they are read as null.
std::string without_nan(std::string text) {
  for (const std::string_view word : {"-Infinity", "Infinity", "NaN"})
    for (size_t at = text.find(word); at != text.npos; at = text.find(word, at)) text.replace(at, word.size(), "null");
  return text;
}

class CocoFile {
 public:
  explicit CocoFile(const std::string& path) : path_(path), walk_(path) {}

  // Without `boxes` the images alone.
  Coco read(bool boxes) {
    walk_.enter('{');
    while (walk_.next_item('}')) {
      const std::string key = walk_.key();
      if (key == "images")
        for_each([this](const json& item) { read_image(item); });
      else if (boxes && key == "categories")
        for_each([this](const json& item) { read_category(item); });
      else if (boxes && key == "annotations")
        for_each([this](const json& item) { read_annotation(item); });
      else
        walk_.value();
      seen_.insert(key);
    }
    walk_.end();
    constexpr const char* kLists[] = {"images", "categories", "annotations"};
    for (const char* key : std::span(kLists).first(boxes ? 3 : 1))
      if (!seen_.contains(key))
        throw DataError(concat(path_, ": has no list ", in_quotes(key), ", so it is no file of COCO's instances"));
    if (coco_.images.empty()) throw DataError(concat(path_, ": lists no image"));
    if (boxes) require_each_once();
    if (boxes && coco_.categories.empty()) throw DataError(concat(path_, ": lists no category"));
    hand_out();
    return std::move(coco_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw DataError(concat(path_, ":", walk_.line(), ": ", problem));
  }

  template <class Read>
  void for_each(const Read& read) {
    walk_.enter('[');
    while (walk_.next_item(']')) {
      const std::string_view text = walk_.value();
      json item = json::parse(text, nullptr, false);
      if (item.is_discarded()) item = json::parse(without_nan(std::string(text)), nullptr, false);
      if (item.is_discarded() && !is_valid_utf8(text))
        fail(concat("the item that begins here is ", utf8_problem(text)));
      if (!item.is_object()) fail("the item that begins here is no JSON object");
      read(item);
    }
  }

  int64_t whole(const json& item, const char* key) const {
    const auto found = item.find(key);
    const bool is_whole = found != item.end() && found->is_number_integer();
    if (!is_whole || (found->is_number_unsigned() && found->get<uint64_t>() > INT64_MAX))
      fail(concat("the item that begins here has no whole number ", in_quotes(key),
                  found == item.end() ? "" : concat(": ", found->dump())));
    return found->get<int64_t>();
  }

  std::string text(const json& item, const char* key) const {
    const auto found = item.find(key);
    if (found == item.end() || !found->is_string() || found->get_ref<const std::string&>().empty())
      fail(concat("the item that begins here has no ", in_quotes(key), ", a string"));
    return found->get<std::string>();
  }

  void read_image(const json& item) {
    const int64_t id = whole(item, "id");
    if (!places_.emplace(id, coco_.images.size()).second)
      fail(concat("two images have the id ", id, "; an id names one image"));
    CocoImage image{.file_name = text(item, "file_name")};
    if (item.contains("height") && item.contains("width")) {
      image.height = whole(item, "height");
      image.width = whole(item, "width");
    }
    coco_.images.push_back(std::move(image));
  }

  void read_category(const json& item) {
    const int64_t id = whole(item, "id");
    const std::string name = text(item, "name");
    for (const auto& [other, its_name] : coco_.categories)
      if (other != id && its_name == name)
        fail(concat("the categories ", other, " and ", id, " are both called ", in_quotes(name),
                    "; give each a name of its own"));
    if (!coco_.categories.emplace(id, name).second) fail(concat("two categories have the id ", id));
  }

  void read_annotation(const json& item) {
    Annotation annotation{.line = walk_.line(), .id = whole(item, "id"), .category = whole(item, "category_id")};
    if (!ids_.insert(annotation.id).second) annotation.problem = "another annotation has this id";
    const auto crowd = item.find("iscrowd");
    annotation.is_crowd = crowd != item.end() && (*crowd == 1 || *crowd == true);
    if (crowd != item.end() && !annotation.is_crowd && *crowd != 0 && *crowd != false && !crowd->is_null())
      annotation.problem = concat("its 'iscrowd' is ", crowd->dump().substr(0, 80), ", and 0 or 1 belongs there");
    const auto area = item.find("area");
    if (area != item.end() && area->is_number()) annotation.area = area->get<double>();
    const auto bbox = item.find("bbox");
    const auto is_number = [](const json& number) { return number.is_number(); };
    if (bbox == item.end())
      annotation.problem = "has no 'bbox'";
    else if (!bbox->is_array() || bbox->size() != 4 || !std::ranges::all_of(*bbox, is_number))
      annotation.problem = concat("its 'bbox' is ", bbox->dump().substr(0, 80),
                                  ", and four numbers belong there: left, top, width, height (NaN is none)");
    else
      annotation.bbox = bbox->get<std::array<double, 4>>();
    annotations_.emplace_back(whole(item, "image_id"), std::move(annotation));
  }

  // The boxes of a file that is listed twice would be handed out to two images, each of which has the others' objects
  // without their boxes.
  void require_each_once() const {
    std::unordered_set<std::string_view> seen;
    for (const CocoImage& image : coco_.images)
      if (!seen.insert(image.file_name).second)
        throw DataError(concat(path_, ": two images have the file_name ", in_quotes(image.file_name, 200),
                               "; list it once, and give the annotations of both its id"));
  }

  // To the images, which may be listed behind them.
  void hand_out() {
    for (auto& [image, annotation] : annotations_) {
      const auto place = places_.find(image);
      if (place == places_.end())
        throw DataError(concat(path_, ":", annotation.line, ": annotation ", annotation.id, " is of image ", image,
                               ", which 'images' does not list; list the image, or take the annotation away"));
      coco_.images[place->second].annotations.push_back(std::move(annotation));
    }
  }

  std::string path_;
  JsonWalk walk_;
  Coco coco_;
  std::unordered_map<int64_t, size_t> places_;  // of images, by id
  std::unordered_set<int64_t> ids_;             // of annotations
  std::vector<std::pair<int64_t, Annotation>> annotations_;
  std::unordered_set<std::string> seen_;
};

// COCO has "annotations/instances_train2017.json" beside "train2017/"; other tools put pictures beside the file or into
// "images/". The first of these folders that has one of the first images.
fs::path folder_of(const std::string& path, const Coco& coco) {
  constexpr size_t kTried = 50;
  const fs::path beside = fs::absolute(path).lexically_normal().parent_path(), above = beside.parent_path();
  const std::string stem = fs::path(path).stem().string();
  const std::string split = stem.substr(stem.rfind('_') + 1);
  std::vector<std::string> tried;
  for (const fs::path& folder :
       {beside, beside / "images", above, above / "images", above / split, above / "images" / split, beside / split}) {
    for (size_t i = 0; i < std::min(coco.images.size(), kTried); ++i)
      if (is_file(folder / coco.images[i].file_name)) return folder;
    tried.push_back(folder.string());
  }
  throw DataError(concat(path, ": its images are not found: there is no ",
                         in_quotes(coco.images.front().file_name, 200), " in ", join(tried, ", "),
                         "; move the images into one of these folders, or link it",
                         coco.images.front().file_name.find('\\') == std::string::npos
                             ? ""
                             : " (its name has backslashes, and / parts folders here)"));
}

class CocoSource final : public DecoratedSource {
 public:
  CocoSource(const std::string& path, std::unique_ptr<ImageSource> pictures, Coco coco)
      : DecoratedSource(std::move(pictures), {path}), path_(path), coco_(std::move(coco)) {}

  std::vector<std::string> class_names() const override {
    std::vector<std::string> names;
    for (const auto& [id, name] : coco_.categories) names.push_back(name);
    return names;
  }

  RawBoxes boxes(int64_t i) const override {
    const CocoImage& image = coco_.images[static_cast<size_t>(i)];
    RawBoxes out{.height = image.height, .width = image.width};
    for (const Annotation& annotation : image.annotations) {
      const std::string place = concat(path_, ":", annotation.line, ": annotation ", annotation.id);
      if (!annotation.problem.empty()) throw BadRow(concat(place, ": ", annotation.problem));
      const auto category = coco_.categories.find(annotation.category);
      if (category == coco_.categories.end())
        throw BadRow(concat(place, ": is of category ", annotation.category,
                            ", which 'categories' does not list; list it, or take the annotation away"));
      const auto& [left, top, width, height] = annotation.bbox;
      out.boxes.push_back({.place = place,
                           .corners = {left, top, left + width, top + height},
                           .label = category->second,
                           .is_crowd = annotation.is_crowd,
                           .area = annotation.area});
    }
    return out;
  }

 private:
  std::string path_;
  Coco coco_;
};

}  // namespace

std::unique_ptr<ImageSource> open_coco(const std::string& path, bool boxes) {
  fs::path file = path;
  if (fs::is_directory(file)) file /= "_annotations.coco.json";
  if (file.extension() != ".json" || !is_file(file)) return nullptr;
  Coco coco = CocoFile(file.string()).read(boxes);
  const fs::path folder = folder_of(file.string(), coco);
  std::vector<std::string> pictures;
  for (const CocoImage& image : coco.images) pictures.push_back((folder / image.file_name).string());
  auto images = these_image_files(std::move(pictures), file.string());
  if (!boxes) return images;
  return std::make_unique<CocoSource>(file.string(), std::move(images), std::move(coco));
}

}  // namespace sft
