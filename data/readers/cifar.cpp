// CIFAR-10's binary form: records of a label and 3 planes of 32 × 32, red, green, blue.
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/input_file.h"
#include "base/text.h"
#include "data/readers/image_source.h"

namespace sft {
namespace {

constexpr int64_t kSide = 32, kPlane = kSide * kSide, kRecord = 1 + kChannels * kPlane;
constexpr int kClasses = 10;

// One name a line, as the data set's own file has them; none where there is no such file.
std::vector<std::string> names_beside(const std::string& path) {
  const auto names_file = std::filesystem::path(path).parent_path() / "batches.meta.txt";
  std::vector<std::string> names;
  if (!std::filesystem::exists(names_file)) return names;
  std::istringstream lines(read_file(names_file.string()));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() != kClasses)
    throw DataError(concat(names_file.string(), ": wanted ", kClasses, " names, one a line, found ", names.size()));
  return names;
}

class Cifar : public ImageSource {
 public:
  explicit Cifar(const std::string& path) : file_(path), files_{path}, names_(names_beside(path)) {
    if (file_.size() == 0 || file_.size() % kRecord != 0)
      throw DataError(concat(path, ": CIFAR-10's binary form has ", kRecord, " bytes an image, and this file has ",
                             file_.size(), " bytes"));
  }

  int64_t size() const override { return file_.size() / kRecord; }
  const std::vector<std::string>& files() const override { return files_; }
  std::string place(int64_t i) const override { return concat(file_.path(), ", image ", i); }

  Label label(int64_t i) const override {
    const auto id = static_cast<uint8_t>(record(i, 1)[0]);
    if (id >= kClasses) throw DataError(concat(place(i), ": label ", int{id}, " is outside 0 … ", kClasses - 1));
    if (names_.empty()) return {std::to_string(id), true};
    return {names_[id], false};
  }

  std::string bytes(int64_t i) const override { return record(i, kRecord).substr(1); }

  Decoded image(int64_t i) const override {
    const std::string planes = bytes(i);
    Decoded out{{kSide, kSide, std::vector<uint8_t>(static_cast<size_t>(kChannels * kPlane))}, ""};
    for (int64_t p = 0; p < kPlane; ++p) {
      for (int64_t c = 0; c < kChannels; ++c)
        out.image.pixels[static_cast<size_t>(p * kChannels + c)] =
            static_cast<uint8_t>(planes[static_cast<size_t>(c * kPlane + p)]);
    }
    return out;
  }

 private:
  std::string record(int64_t i, int64_t size) const {
    std::string out(static_cast<size_t>(size), '\0');
    if (file_.read(out.data(), out.size(), i * kRecord) != out.size())
      throw DataError(concat(place(i), ": the file was cut short while it was read"));
    return out;
  }

  InputFile file_;
  std::vector<std::string> files_, names_;
};

}  // namespace

std::unique_ptr<ImageSource> open_cifar(const std::string& path) { return std::make_unique<Cifar>(path); }

}  // namespace sft
