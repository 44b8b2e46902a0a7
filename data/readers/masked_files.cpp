#include "data/readers/masked_files.h"

#include <filesystem>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "data/readers/decorated_source.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> paths_of(const std::vector<MaskFile>& masks) {
  std::vector<std::string> paths;
  for (const MaskFile& mask : masks) paths.push_back(mask.path);
  return paths;
}

class MaskedFiles final : public DecoratedSource {
 public:
  MaskedFiles(std::unique_ptr<ImageSource> pictures, std::vector<MaskFile> masks, std::string note)
      : DecoratedSource(std::move(pictures), paths_of(masks), std::move(note)), masks_(std::move(masks)) {}

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
  std::vector<MaskFile> masks_;
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
