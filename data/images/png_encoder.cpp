// Writing PNG by libpng, which reports errors by longjmp: nothing with a destructor lives in the function that it jumps
// back to.
#include <png.h>

#include <csetjmp>
#include <stdexcept>

#include "data/images/formats.h"

namespace sft::png {
namespace {

constexpr int kLevel = 6;  // of deflate

void take(png_structp state, png_bytep bytes, size_t size) {
  static_cast<std::string*>(png_get_io_ptr(state))->append(reinterpret_cast<const char*>(bytes), size);
}
void flush(png_structp) {}

bool write(png_structp state, png_infop info, const uint8_t* pixels, int64_t height, int64_t width,
           const std::vector<std::array<uint8_t, 3>>& palette, std::string& out) {
  if (setjmp(png_jmpbuf(state)) != 0) return false;
  png_set_write_fn(state, &out, take, flush);
  png_set_compression_level(state, kLevel);
  const bool is_mapped = !palette.empty();
  png_set_IHDR(state, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), 8,
               is_mapped ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (is_mapped)
    png_set_PLTE(state, info, reinterpret_cast<png_const_colorp>(palette.data()), static_cast<int>(palette.size()));
  png_write_info(state, info);
  const int64_t row_bytes = is_mapped ? width : width * kChannels;
  for (int64_t y = 0; y < height; ++y) png_write_row(state, pixels + y * row_bytes);
  png_write_end(state, info);
  return true;
}

}  // namespace

std::string encode(const uint8_t* pixels, int64_t height, int64_t width,
                   const std::vector<std::array<uint8_t, 3>>& palette) {
  static_assert(sizeof(png_color) == 3);
  std::string out;
  png_structp state = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = state != nullptr ? png_create_info_struct(state) : nullptr;
  const bool good = info != nullptr && write(state, info, pixels, height, width, palette, out);
  png_destroy_write_struct(&state, &info);
  if (!good) throw std::runtime_error("libpng cannot write a picture");
  return out;
}

}  // namespace sft::png
