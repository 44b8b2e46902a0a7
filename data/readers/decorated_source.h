// A source of pictures beside which something else is told: all else is as of the pictures.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "data/readers/image_source.h"

namespace sft {

class DecoratedSource : public ImageSource {
 public:
  // `more_files` are read beside those of the pictures; `note` stands behind theirs.
  DecoratedSource(std::unique_ptr<ImageSource> pictures, const std::vector<std::string>& more_files = {},
                  std::string note = "")
      : pictures_(std::move(pictures)), files_(pictures_->files()), note_(std::move(note)) {
    for (const std::string& file : more_files)
      if (!file.empty()) files_.push_back(file);
  }

  int64_t size() const override { return pictures_->size(); }
  const std::vector<std::string>& files() const override { return files_; }
  std::string place(int64_t i) const override { return pictures_->place(i); }
  Label label(int64_t) const override { return {}; }
  std::string bytes(int64_t i) const override { return pictures_->bytes(i); }
  Decoded image(int64_t i) const override { return pictures_->image(i); }
  std::string note() const override {
    const std::string of_pictures = pictures_->note();
    return concat(of_pictures, of_pictures.empty() || note_.empty() ? "" : "; ", note_);
  }

 private:
  std::unique_ptr<ImageSource> pictures_;
  std::vector<std::string> files_;
  std::string note_;
};

}  // namespace sft
