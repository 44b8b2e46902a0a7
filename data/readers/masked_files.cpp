#include "data/readers/masked_files.h"

#include <filesystem>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "data/readers/decorated_source.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

class MaskedFiles final : public DecoratedSource {
 public:
  MaskedFiles(std::unique_ptr<ImageSource> pictures, std::vector<std::string> masks, std::string wanted,
              std::string note)
      : DecoratedSource(std::move(pictures), masks, std::move(note)),
        masks_(std::move(masks)),
        wanted_(std::move(wanted)) {}

  Mask mask(int64_t i) const override {
    const std::string& file = masks_[static_cast<size_t>(i)];
    if (file.empty())
      throw BadRow(concat(place(i), ": has no mask: wanted ", wanted_, fs::path(place(i)).stem().string(),
                          ".png; add it, or take the picture away"));
    try {
      return decode_mask(read_file(file), file);
    } catch (const DataError& error) {
      throw BadRow(error.what());
    }
  }

 private:
  std::vector<std::string> masks_;
  std::string wanted_;
};

}  // namespace

std::string mask_file(const std::string& without_ending) {
  for (const char* ending : {".png", ".PNG"})
    if (fs::is_regular_file(without_ending + ending)) return without_ending + ending;
  return "";
}

std::unique_ptr<ImageSource> with_masks(std::unique_ptr<ImageSource> pictures, std::vector<std::string> masks,
                                        std::string wanted, std::string note) {
  return std::make_unique<MaskedFiles>(std::move(pictures), std::move(masks), std::move(wanted), std::move(note));
}

}  // namespace sft
