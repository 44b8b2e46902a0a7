// YOLO's text: images/a/b.jpg has its boxes in labels/a/b.txt, a line each: class, centre x, centre y, width, height,
// as shares of the picture, and keypoints, which are passed over, where data.yaml has kpt_shape; or class and the
// corners of an outline. A picture without a file has no box.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "data/readers/class_lists.h"
#include "data/readers/decorated_source.h"
#include "data/readers/file_tests.h"
#include "data/readers/list_lines.h"
#include "data/readers/yolo_yaml.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

bool is_yaml(const fs::path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

// Of data/images/train/a.jpg: data/labels/train/a.txt. "": no folder above is called images.
std::string labels_of(const std::string& picture) {
  const std::string images = "/images/", path = "/" + fs::path(picture).replace_extension(".txt").string();
  const size_t at = path.rfind(images);
  return at == path.npos ? "" : (path.substr(0, at) + "/labels/" + path.substr(at + images.size())).substr(1);
}

std::vector<double> numbers_in(const std::string& line, const std::string& place) {
  std::vector<double> numbers;
  const char *at = line.data(), *const end = at + line.size();
  while (true) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) ++at;
    if (at == end) return numbers;
    double value = 0;
    const auto [read, error] = std::from_chars(at, end, value);
    if (error != std::errc() || !std::isfinite(value) || (read < end && *read != ' ' && *read != '\t' && *read != '\r'))
      throw BadRow(concat(place, ": wanted numbers between spaces, found ",
                          in_quotes(std::string(at, std::find(at, end, ' ')))));
    numbers.push_back(value);
    at = read;
  }
}

// Of classes, by number.
struct Names {
  std::vector<std::string> names = {};
  std::string file = {};  // where they stand; "": nowhere
  int64_t keypoint_numbers = 0;

  static Names in(const std::string& yaml) {
    const YoloYaml read = read_yolo_yaml(yaml);
    return {read.names, yaml, read.keypoint_numbers};
  }
};

class YoloSource final : public DecoratedSource {
 public:
  // `names` stand in a file, or are told nowhere.
  YoloSource(std::unique_ptr<ImageSource> pictures, Names names, const std::string& note)
      : DecoratedSource(std::move(pictures), {}, note),
        names_(std::move(names.names)),
        keypoint_numbers_(names.keypoint_numbers) {
    if (!names.file.empty()) files_.push_back(names.file);
    for (int64_t i = 0; i < DecoratedSource::size(); ++i) {
      const std::string picture = DecoratedSource::place(i);
      if (is_file(picture)) files_.push_back(picture);
      if (std::string file = labels_of(picture); is_file(file)) {
        files_.push_back(std::move(file));
        has_labels_ = true;
      }
    }
  }

  // Each picture before its labels, so that it is seen which of two pictures has some.
  const std::vector<std::string>& files() const override { return files_; }
  bool has_labels() const { return has_labels_; }

  std::vector<std::string> class_names() const override { return names_; }

  RawBoxes boxes(int64_t i) const override {
    const std::string file = labels_of(place(i));
    RawBoxes out{.are_shares = true};
    int64_t number = 0;
    for (const std::string& line : is_file(file) ? labels_in(file) : StringList{}) {
      const std::string at = concat(file, ":", ++number);
      const std::vector<double> numbers = numbers_in(line, at);
      if (!numbers.empty()) out.boxes.push_back(box_of(numbers, at));
    }
    return out;
  }

 private:
  static StringList labels_in(const std::string& file) {
    try {
      return list_lines(file);
    } catch (const DataError& error) {  // of this picture alone
      throw BadRow(error.what());
    }
  }

  RawBox box_of(const std::vector<double>& numbers, const std::string& place) const {
    const bool has_keypoints = keypoint_numbers_ > 0;
    if (has_keypoints && numbers.size() != 5 && std::ssize(numbers) != 5 + keypoint_numbers_)
      throw BadRow(concat(place, ": has ", numbers.size(), " numbers, and by kpt_shape ", 5 + keypoint_numbers_,
                          " belong there: class, centre x, centre y, width, height, and the keypoints"));
    if (!has_keypoints && numbers.size() != 5 && (numbers.size() < 7 || numbers.size() % 2 == 0))
      throw BadRow(concat(place, ": has ", numbers.size(),
                          " numbers, and five belong there: class, centre x, centre y, width, height (or class and the "
                          "corners of an outline)"));
    const double number = numbers[0];
    if (number < 0 || number != std::floor(number) || number > 1e6 ||
        (!names_.empty() && number >= static_cast<double>(names_.size())))
      throw BadRow(concat(place, ": is of class ", number, ", and ",
                          names_.empty() ? "0, 1, … belongs there"
                                         : concat("there are names of ", names_.size(), " classes, from 0 on")));
    RawBox box{
        .place = place,
        .label = names_.empty() ? std::to_string(static_cast<int64_t>(number)) : names_[static_cast<size_t>(number)],
        .is_index = names_.empty(),
        .is_outlined = numbers.size() > 5 && !has_keypoints};
    if (!box.is_outlined) {
      const double half_width = numbers[3] / 2, half_height = numbers[4] / 2;
      box.corners = {numbers[1] - half_width, numbers[2] - half_height, numbers[1] + half_width,
                     numbers[2] + half_height};
    } else {
      box.corners = {numbers[1], numbers[2], numbers[1], numbers[2]};
      for (size_t i = 3; i < numbers.size(); i += 2) {
        box.corners[0] = std::min(box.corners[0], numbers[i]);
        box.corners[1] = std::min(box.corners[1], numbers[i + 1]);
        box.corners[2] = std::max(box.corners[2], numbers[i]);
        box.corners[3] = std::max(box.corners[3], numbers[i + 1]);
      }
    }
    return box;
  }

  std::vector<std::string> names_, files_;
  int64_t keypoint_numbers_;
  bool has_labels_ = false;
};

// Of the .yaml or the classes.txt in the folder or in one of the two above it; none where there is neither.
Names names_beside(const fs::path& images) {
  fs::path folder = images;
  for (int up = 0; up < 3; ++up, folder = folder.parent_path()) {
    for (const char* name : {"data.yaml", "data.yml", "dataset.yaml"})
      if (const std::string file = (folder / name).string(); is_file(file)) return Names::in(file);
    if (is_file(folder / "classes.txt")) return {listed_classes(folder.string()), (folder / "classes.txt").string()};
  }
  return {};
}

std::unique_ptr<ImageSource> source_of(std::unique_ptr<ImageSource> pictures, Names names, const std::string& place) {
  const std::string first = labels_of(pictures->place(0));
  const std::string note = names.file.empty() ? concat(place, ": no data.yaml or classes.txt names its classes")
                           : names.keypoint_numbers > 0
                               ? concat(names.file, ": has kpt_shape; boxes are learned, and keypoints are passed over")
                               : "";
  auto source = std::make_unique<YoloSource>(std::move(pictures), std::move(names), note);
  if (source->has_labels()) return source;
  throw DataError(concat(place,
                         ": no picture has boxes: wanted labels/… beside images/…, with a .txt of the same name for "
                         "each",
                         first.empty() ? "" : concat(", as ", first)));
}

// Pictures of a folder, or of a list of files; in `notes` what is told of the folder.
void add_pictures(const fs::path& from, std::vector<std::string>& to, StringList& notes) {
  if (from.extension() == ".txt") {
    for (const std::string& line : list_lines(from.string()))
      if (!line.empty()) to.push_back((from.parent_path() / line).lexically_normal().string());
    return;
  }
  const auto found = open_image_files(from.string());
  to.insert(to.end(), found->files().begin(), found->files().end());
  if (const std::string note = found->note(); !note.empty()) notes.push_back(concat(from.string(), ": ", note));
}

// What is given to predict or to evaluate beside the config's files counts as the test split.
std::unique_ptr<ImageSource> open_yaml(const fs::path& file, bool boxes, const std::string& split) {
  const YoloYaml yaml = read_yolo_yaml(file.string());
  const std::string key = split == "validation" ? "val" : split == "train" ? split : "test";
  const auto found = yaml.splits.find(key);
  if (found == yaml.splits.end() || found->second.empty()) {
    std::vector<std::string> there;
    for (const auto& [other, pictures] : yaml.splits)
      if (!pictures.empty()) there.push_back(other);
    throw ConfigError(concat(
        file.string(), ": has no ", key, ": with the pictures of that split",
        there.empty() ? "" : concat("; it has ", join(there, ", "), ": name a folder of theirs in place of the file")));
  }
  std::vector<std::string> pictures;
  StringList notes;
  for (const std::string& from : found->second) {
    const fs::path beside = file.parent_path();
    fs::path at = (beside / yaml.path / from).lexically_normal();
    // Roboflow writes "../train/images" of what lies in "train/images".
    if (!is_there(at) && from.starts_with("../")) at = (beside / from.substr(3)).lexically_normal();
    if (!is_there(at)) throw DataError(concat(file.string(), ": ", key, ": there is no ", at.string()));
    add_pictures(at, pictures, notes);
  }
  if (pictures.empty()) throw DataError(concat(file.string(), ": ", key, ": names no picture"));
  std::unique_ptr<ImageSource> images = std::make_unique<DecoratedSource>(
      these_image_files(std::move(pictures), concat(file.string(), ": ", key)), StringList{}, join(notes, "; "));
  if (!boxes) return images;
  return source_of(std::move(images), {yaml.names, file.string(), yaml.keypoint_numbers}, file.string());
}

}  // namespace

std::unique_ptr<ImageSource> open_yolo(const std::string& path, bool boxes, const std::string& split) {
  fs::path root = fs::path(path).lexically_normal();
  if (!root.has_filename()) root = root.parent_path();
  if (is_yaml(root)) return open_yaml(root, boxes, split);
  if (!fs::is_directory(root)) return nullptr;
  const bool holds_both = fs::is_directory(root / "images") && fs::is_directory(root / "labels");
  const fs::path images = holds_both ? root / "images" : root;
  const std::string labels = labels_of((images / "a").string());
  if (labels.empty() || !fs::is_directory(fs::path(labels).parent_path())) return nullptr;
  return source_of(open_image_files(images.string()), names_beside(images), path);
}

}  // namespace sft
