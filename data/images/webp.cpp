// WebP by libwebp, which is looked for when the first such file comes: nobody needs it for other pictures. Its
// functions and their types have been the same since libwebp.so.7 (2017).
#include <dlfcn.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/text.h"
#include "data/images/formats.h"
#include "data/images/orientation.h"

namespace sft::webp {
namespace {

constexpr char kLibrary[] = "libwebp.so.7";
constexpr size_t kRiffHeader = 12, kChunkHeader = 8;
constexpr uint8_t kAlpha = 0x10, kAnimation = 0x02;  // flags of an extended file; kAlpha also of a lossless image

struct Library {
  int (*get_info)(const uint8_t* data, size_t size, int* width, int* height) = nullptr;
  uint8_t* (*decode_into)(const uint8_t* data, size_t size, uint8_t* out, size_t out_size, int stride) = nullptr;
  bool is_there() const { return get_info != nullptr && decode_into != nullptr; }
};

const Library& library() {
  static const Library found = [] {
    Library loaded;
    void* const handle = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return loaded;
    loaded.get_info = reinterpret_cast<decltype(loaded.get_info)>(dlsym(handle, "WebPGetInfo"));
    loaded.decode_into = reinterpret_cast<decltype(loaded.decode_into)>(dlsym(handle, "WebPDecodeRGBInto"));
    return loaded;
  }();
  return found;
}

// The content of the first chunk of that name; empty where there is none, or where it is cut short.
std::string_view chunk(std::string_view file, std::string_view name) {
  for (size_t at = kRiffHeader; file.size() >= kChunkHeader && at <= file.size() - kChunkHeader;) {
    uint32_t size = 0;
    for (size_t i = 4; i-- > 0;) size = size << 8 | static_cast<uint8_t>(file[at + 4 + i]);
    const size_t content = at + kChunkHeader;
    if (size > file.size() - content) return {};
    if (file.substr(at, 4) == name) return file.substr(content, size);
    at = content + size + size % 2;
  }
  return {};
}

bool has_alpha(std::string_view file, uint8_t flags) {
  const std::string_view lossless = chunk(file, "VP8L");  // a signature, 14 bits of width, 14 of height, and alpha's
  return (flags & kAlpha) != 0 || (lossless.size() > 4 && (static_cast<uint8_t>(lossless[4]) & kAlpha) != 0);
}

int orientation_in(std::string_view file) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  std::string_view exif = chunk(file, "EXIF");
  if (exif.starts_with(kExif)) exif.remove_prefix(kExif.size());
  return orientation_of(exif);
}

}  // namespace

bool starts(const std::string& bytes) {
  return bytes.size() >= kRiffHeader && bytes.starts_with("RIFF") && bytes.compare(8, 4, "WEBP") == 0;
}

bool decode(const std::string& bytes, Decoded& out, std::string& why) {
  if (!library().is_there()) {
    why =
        concat("is a WebP, and ", kLibrary, ", which reads it, is not on this machine; install it (Debian: libwebp7), ",
               "or save the image as PNG");
    return false;
  }
  const std::string_view extended = chunk(bytes, "VP8X");
  const auto flags = static_cast<uint8_t>(extended.empty() ? 0 : extended[0]);
  if ((flags & kAnimation) != 0) {
    why = "is a WebP of several images; save the one that is meant";
    return false;
  }
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  int width = 0, height = 0;
  if (library().get_info(data, bytes.size(), &width, &height) == 0 || width < 1 || height < 1 ||
      width > kMostPixels / height) {
    why = "is a damaged WebP: its header is not understood";
    return false;
  }
  out.was = has_alpha(bytes, flags) ? "transparent" : "";
  out.image = {height, width, {}};
  out.image.pixels.resize(static_cast<size_t>(height) * static_cast<size_t>(width) * kChannels);
  out.orientation = orientation_in(bytes);
  if (library().decode_into(data, bytes.size(), out.image.pixels.data(), out.image.pixels.size(),
                            width * static_cast<int>(kChannels)) != nullptr)
    return true;
  why = "is a damaged WebP: its pixels cannot be decoded, or it ends too early";
  return false;
}

}  // namespace sft::webp
