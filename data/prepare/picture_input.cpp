#include <algorithm>
#include <functional>

#include "base/log.h"
#include "base/text.h"
#include "data/prepare/input.h"

namespace sft {
namespace {

constexpr int64_t kPieces = 64, kLeastImages = 512;

class StoredPicture final : public Picture {
 public:
  StoredPicture(const ImageSource& source, int64_t i) : source_(source), i_(i) {}
  std::string place() const override { return source_.place(i_); }
  std::string bytes() const override { return source_.bytes(i_); }
  Decoded decoded() const override { return source_.image(i_); }
  Mask mask() const override { return source_.mask(i_); }
  RawBoxes boxes() const override { return source_.boxes(i_); }
  StringList class_names() const override { return source_.class_names(); }

 private:
  const ImageSource& source_;
  int64_t i_;
};

using Open = std::function<std::unique_ptr<ImageSource>(const std::string& path)>;

class PictureInput final : public Input {
 public:
  PictureInput(const StringList& paths, bool labels, const Open& open) : paths_(paths), labels_(labels) {
    for (const std::string& path : paths) {
      sources_.push_back(open(path));
      starts_.push_back(size_);
      size_ += sources_.back()->size();
    }
  }

  const char* noun() const override { return "image"; }

  std::vector<StringList> files() const override {
    std::vector<StringList> out;
    for (const auto& source : sources_) out.push_back(source->files());
    return out;
  }

  // The places of pictures and of what lies beside them, and where each run of equal labels begins: a folder's name is
  // the label of all images in it.
  std::string told_by_names(const std::vector<StringList>& files) const override {
    std::string out = names_of(files);
    Label before;
    for (int64_t i = 0; labels_ && i < size_; ++i) {
      const Label label = label_of(i);
      if (i > 0 && label.text == before.text) continue;
      out += concat(i, " ", label.text, '\0');
      before = label;
    }
    return out;
  }

  StringList notes() const override {
    StringList out;
    for (const auto& source : sources_)
      if (const std::string note = source->note(); !note.empty()) out.push_back(note);
    return out;
  }

  // Files of HDF5 are opened with their columns; nothing else has any.
  void require(const std::vector<WantedColumn>& columns) const override {
    const auto is_hdf5 = [](const std::string& path) { return path.ends_with(".h5") || path.ends_with(".hdf5"); };
    if (std::ranges::any_of(paths_, is_hdf5)) return;
    for (const auto& [key, name] : columns) {
      if (name.empty()) continue;
      log::warn_once(concat("data.", key, " names a dataset of an HDF5 file, and ", join(paths_, ", "),
                            " has none: it is not looked at"));
    }
  }

  int64_t cut(const Peers&) override {
    images_a_piece_ = std::max(kLeastImages, (size_ + kPieces - 1) / kPieces);
    return (size_ + images_a_piece_ - 1) / images_a_piece_;
  }

  std::unique_ptr<Reader> open(int64_t piece) const override;

  // Fills `row` with image `i` of all.
  void read(int64_t i, Row& row) const {
    const auto [source, place] = at(i);
    row.clear();
    row.line = 0;
    row.file = &paths_[source];
    row.picture = std::make_shared<StoredPicture>(*sources_[source], place);
    if (!labels_) return;
    Label label = sources_[source]->label(place);
    Cell& cell = row.add("label");
    cell.kind = label.is_index ? Cell::Kind::number : Cell::Kind::text;
    cell.text = std::move(label.text);
  }

 private:
  std::pair<size_t, int64_t> at(int64_t i) const {
    const auto source = static_cast<size_t>(std::ranges::upper_bound(starts_, i) - starts_.begin()) - 1;
    return {source, i - starts_[source]};
  }

  Label label_of(int64_t i) const {
    const auto [source, place] = at(i);
    return sources_[source]->label(place);
  }

  StringList paths_;
  bool labels_;
  std::vector<std::unique_ptr<ImageSource>> sources_;
  std::vector<int64_t> starts_;  // of each source in the order of all images
  int64_t size_ = 0, images_a_piece_ = 1;
};

class PictureReader final : public Reader {
 public:
  PictureReader(const PictureInput& input, int64_t first, int64_t end) : input_(input), next_(first), end_(end) {}

  bool next(Row& row) override {
    if (next_ == end_) return false;
    input_.read(next_++, row);
    return true;
  }

 private:
  const PictureInput& input_;
  int64_t next_, end_;
};

std::unique_ptr<Reader> PictureInput::open(int64_t piece) const {
  const int64_t first = piece * images_a_piece_;
  return std::make_unique<PictureReader>(*this, first, std::min(first + images_a_piece_, size_));
}

}  // namespace

std::string names_of(const std::vector<StringList>& files) {
  StringList paths;
  for (const StringList& of_path : files) paths.push_back(join(of_path, std::string(1, '\0')));
  return join(paths, "\n") + "\n";
}

std::unique_ptr<Input> open_pictures(const StringList& paths, bool labels, const ImageColumns& columns) {
  return std::make_unique<PictureInput>(
      paths, labels, [&](const std::string& path) { return open_image_source(path, labels, columns); });
}

std::unique_ptr<Input> open_masked_pictures(const StringList& paths, bool masks, const std::string& split,
                                            const ImageColumns& columns) {
  return std::make_unique<PictureInput>(
      paths, false, [&](const std::string& path) { return open_masked_images(path, masks, split, columns); });
}

std::unique_ptr<Input> open_boxed_pictures(const StringList& paths, bool boxes, const std::string& split,
                                           const ImageColumns& columns) {
  return std::make_unique<PictureInput>(
      paths, false, [&](const std::string& path) { return open_boxed_images(path, boxes, split, columns); });
}

}  // namespace sft
