// Folders are walked as torchvision's ImageFolder walks them: classes and files in byte order of their names, files of
// other kinds left alone; but what is hidden is not looked at.
#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "data/images/formats.h"
#include "data/readers/file_tests.h"
#include "data/readers/image_source.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

struct Found {
  std::vector<std::string> images;
  int64_t others = 0;
  int64_t hidden = 0;  // files and folders, with all that is in them
  int64_t linked = 0;  // folders that are links: they may lead round in a circle
  int64_t loose = 0;   // images beside the folders of the classes
  int64_t broken = 0;  // under the name of an image, and no file: mostly links that lead nowhere
};

// Notebooks, file managers and archives of macOS leave such folders and copies of images behind; they are nobody's
// classes and nobody's data.
bool is_hidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') || name == "__MACOSX";
}

Found images_below(const std::string& directory) {
  Found found;
  for (fs::recursive_directory_iterator entry(directory), end; entry != end; ++entry) {
    if (is_hidden(entry->path())) {
      ++found.hidden;
      entry.disable_recursion_pending();
      continue;
    }
    if (entry->is_symlink() && entry->is_directory()) ++found.linked;
    const std::string path = entry->path().string();
    if (!is_file(entry->path())) {
      if (is_image_file(path) && !entry->is_directory()) ++found.broken;
      continue;
    }
    if (is_image_file(path))
      found.images.push_back(path);
    else
      ++found.others;
  }
  std::sort(found.images.begin(), found.images.end());
  return found;
}

std::string told_of_broken(const Found& found) {
  if (found.broken == 0) return "";
  return concat(" but ", found.broken, " that are no files, as links that lead nowhere; bring what they lead to");
}

// Whether folders of such names are parts of a data set and no classes, as of one that was downloaded whole.
bool are_splits(const std::vector<std::string>& folders) {
  constexpr std::array kSplits{"train", "training", "val", "valid", "validation", "dev", "test", "testing"};
  return folders.size() > 1 && std::ranges::all_of(folders, [&](const std::string& name) {
           return std::ranges::find(kSplits, name) != kSplits.end();
         });
}

class ImageFiles : public ImageSource {
 public:
  explicit ImageFiles(Found found) : found_(std::move(found)) {}
  ImageFiles(Found found, std::vector<Label> labels) : ImageFiles(std::move(found)) { labels_ = std::move(labels); }

  int64_t size() const override { return static_cast<int64_t>(found_.images.size()); }
  const std::vector<std::string>& files() const override { return found_.images; }
  std::string place(int64_t i) const override { return found_.images[static_cast<size_t>(i)]; }
  Label label(int64_t i) const override { return labels_.at(static_cast<size_t>(i)); }
  std::string bytes(int64_t i) const override { return read_file(place(i)); }
  Decoded image(int64_t i) const override { return decode_picture(bytes(i), place(i)); }
  std::string note() const override {
    std::vector<std::string> parts;
    for (const auto& [count, what] : {std::pair{found_.others, concat(" files that are not ", kImageEndings)},
                                      {found_.loose, std::string(" images in no class's folder")},
                                      {found_.broken,
                                       std::string(" images that are no files, as links that lead nowhere,")},
                                      {found_.linked, std::string(" folders that are links")},
                                      {found_.hidden, std::string(" hidden files or folders")}})
      if (count > 0) parts.push_back(concat(count, what));
    return parts.empty() ? "" : join(parts, " and ") + " left alone";
  }

 private:
  Found found_;
  std::vector<Label> labels_;  // empty: nobody asks
};

// Of which some may be missing.
class NamedFiles final : public ImageFiles {
 public:
  NamedFiles(Found named, std::string named_by) : ImageFiles(named), named_by_(std::move(named_by)) {
    std::ranges::copy_if(named.images, std::back_inserter(there_),
                         [](const std::string& file) { return is_file(file); });
  }

  const std::vector<std::string>& files() const override { return there_; }
  std::string bytes(int64_t i) const override {
    if (!is_file(place(i)))
      throw BadRow(
          concat(named_by_, ": there is no ", place(i), ", which it names; bring the image, or strike it out",
                 hint_of_backslashes(place(i))));
    return ImageFiles::bytes(i);
  }

 private:
  std::string named_by_;
  std::vector<std::string> there_;
};

}  // namespace

std::unique_ptr<ImageSource> open_class_folders(const std::string& path) {
  std::vector<std::string> classes;
  Found all;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (is_hidden(entry.path()))
      ++all.hidden;
    else if (entry.is_directory())
      classes.push_back(entry.path().filename().string());
    else if (is_image_file(entry.path().string()))
      ++all.loose;
  }
  std::sort(classes.begin(), classes.end());
  if (classes.empty())
    throw DataError(
        concat(path, ": no folder in it; wanted one folder of images a class",
               fs::exists(fs::path(path) / "metadata.csv") ? ", or its metadata.csv named as the file of rows" : ""));
  if (are_splits(classes))
    throw DataError(
        concat(path, ": its folders are the splits ", join(classes, ", "), " and no classes; name ", path, "/",
               classes.front(),
               " and the others for themselves, as data.train_file, data.validation_file and data.test_file"));
  std::vector<Label> labels;
  for (const std::string& name : classes) {
    const std::string folder = (fs::path(path) / name).string();
    if (!is_valid_utf8(name))
      throw DataError(concat(in_quotes(folder, 400),
                             ": the folder's name, which is that of a class, is not valid UTF-8; rename the folder, as "
                             "convmv -f latin1 -t utf8 --notest does of many"));
    Found found = images_below(folder);
    if (found.images.empty())
      throw DataError(concat(folder, ": a class without images: no ", kImageEndings, " in it", told_of_broken(found)));
    Label label;
    Cell cell;
    cell.kind = Cell::Kind::plain;
    cell.text = name;
    read_label(cell, label);
    labels.insert(labels.end(), found.images.size(), label);
    all.images.insert(all.images.end(), found.images.begin(), found.images.end());
    all.others += found.others;
    all.broken += found.broken;
    all.hidden += found.hidden;
    all.linked += found.linked;
  }
  return std::make_unique<ImageFiles>(std::move(all), std::move(labels));
}

std::unique_ptr<ImageSource> open_image_files(const std::string& path) {
  if (!fs::is_directory(path)) return std::make_unique<ImageFiles>(Found{{path}});
  Found found = images_below(path);
  if (found.images.empty()) throw DataError(concat(path, ": no ", kImageEndings, " in it", told_of_broken(found)));
  return std::make_unique<ImageFiles>(std::move(found));
}

std::unique_ptr<ImageSource> these_image_files(std::vector<std::string> files, const std::string& named_by) {
  Found found;
  found.images = std::move(files);
  if (!named_by.empty()) return std::make_unique<NamedFiles>(std::move(found), named_by);
  return std::make_unique<ImageFiles>(std::move(found));
}

}  // namespace sft
