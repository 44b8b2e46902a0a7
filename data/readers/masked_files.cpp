#include "data/readers/masked_files.h"

#include <filesystem>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

class MaskedFiles final : public ImageSource {
 public:
  MaskedFiles(std::unique_ptr<ImageSource> pictures, std::vector<MaskFile> masks, std::string note)
      : pictures_(std::move(pictures)), masks_(std::move(masks)), files_(pictures_->files()), note_(std::move(note)) {
    for (const MaskFile& mask : masks_)
      if (!mask.path.empty()) files_.push_back(mask.path);
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

  Mask mask(int64_t i) const override {
    const auto& [file, wanted] = masks_[static_cast<size_t>(i)];
    if (file.empty())
      throw BadRow(concat(place(i), ": has no mask: wanted ", wanted, "; add it, or take the picture away"));
    try {
      return decode_mask(read_file(file), file);
    } catch (const DataError& error) {
      throw BadRow(error.what());
    }
  }

 private:
  std::unique_ptr<ImageSource> pictures_;
  std::vector<MaskFile> masks_;
  std::vector<std::string> files_;
  std::string note_;
};

}  // namespace

MaskFile mask_file(const std::string& without_ending) {
  const std::string wanted = without_ending + ".png";
  for (const std::string& path : {wanted, without_ending + ".PNG"})
    if (fs::is_regular_file(path)) return {path, wanted};
  return {"", wanted};
}

std::unique_ptr<ImageSource> with_masks(std::unique_ptr<ImageSource> pictures, std::vector<MaskFile> masks,
                                        std::string note) {
  return std::make_unique<MaskedFiles>(std::move(pictures), std::move(masks), std::move(note));
}

}  // namespace sft
