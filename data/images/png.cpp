// PNG by libpng. It reports errors by longjmp, so nothing with a destructor lives in the function that it jumps back
// to.
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "data/images/formats.h"
#include "data/images/orientation.h"

namespace sft::png {
namespace {

struct Reading {
  const std::string& bytes;
  size_t at = 0;
  char message[200] = "";
};

void stop(png_structp state, png_const_charp message) {
  auto* reading = static_cast<Reading*>(png_get_error_ptr(state));
  std::snprintf(reading->message, sizeof reading->message, "is a damaged PNG: %s", message);
  png_longjmp(state, 1);
}

void ignore(png_structp, png_const_charp) {}

void next_bytes(png_structp state, png_bytep out, size_t size) {
  auto* reading = static_cast<Reading*>(png_get_io_ptr(state));
  if (size > reading->bytes.size() - reading->at) png_error(state, "it ends too early");
  std::memcpy(out, reading->bytes.data() + reading->at, size);
  reading->at += size;
}

const char* name_of(int color_type) {
  if (color_type == PNG_COLOR_TYPE_PALETTE) return "palette";
  if ((color_type & PNG_COLOR_MASK_COLOR) == 0) return "grey";
  return (color_type & PNG_COLOR_MASK_ALPHA) != 0 ? "transparent" : "";
}

// All rows of a picture whose transformations are set, a pixel being so many bytes.
void read_rows(png_structp state, png_infop info, int64_t pixel_bytes, std::vector<uint8_t>& pixels) {
  const int passes = png_set_interlace_handling(state);
  png_read_update_info(state, info);
  const png_uint_32 width = png_get_image_width(state, info), height = png_get_image_height(state, info);
  const size_t row_bytes = png_get_rowbytes(state, info);
  if (row_bytes != size_t{width} * static_cast<size_t>(pixel_bytes))
    png_error(state, "its rows have another length than its header says");
  pixels.resize(row_bytes * height);
  for (int pass = 0; pass < passes; ++pass) {
    for (png_uint_32 y = 0; y < height; ++y) png_read_row(state, pixels.data() + y * row_bytes, nullptr);
  }
  png_read_end(state, info);
}

// False where the size or the depth of a picture is refused.
bool read_header(png_structp state, png_infop info, Reading& reading) {
  png_set_read_fn(state, &reading, next_bytes);
  png_read_info(state, info);
  const png_uint_32 width = png_get_image_width(state, info), height = png_get_image_height(state, info);
  if (width > kMostPixels / height) png_error(state, "it has too many pixels");
  if (png_get_bit_depth(state, info) != 16) return true;
  std::snprintf(reading.message, sizeof reading.message, "is a PNG of 16 bits a channel; convert it to 8");
  return false;
}

// Of a file that was read to its end: the chunk eXIf may stand in front of the pixels or behind them.
int orientation_in(png_structp state, png_infop info) {
  png_bytep exif = nullptr;
  png_uint_32 size = 0;
  if (png_get_eXIf_1(state, info, &size, &exif) == 0) return orientation_of({});
  return orientation_of({reinterpret_cast<const char*>(exif), size});
}

bool read_colours(png_structp state, png_infop info, Reading& reading, Decoded& out) {
  if (setjmp(png_jmpbuf(state)) != 0) return false;
  if (!read_header(state, info, reading)) return false;
  const int color_type = png_get_color_type(state, info);
  out.was = name_of(color_type);
  if (color_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(state);
  if ((color_type & PNG_COLOR_MASK_COLOR) == 0) {
    png_set_expand_gray_1_2_4_to_8(state);
    png_set_gray_to_rgb(state);
  }
  png_set_strip_alpha(state);  // also what a palette's transparency is expanded to
  out.image.height = png_get_image_height(state, info);
  out.image.width = png_get_image_width(state, info);
  read_rows(state, info, kChannels, out.image.pixels);
  out.orientation = orientation_in(state, info);
  return true;
}

bool read_numbers(png_structp state, png_infop info, Reading& reading, std::vector<uint8_t>& numbers) {
  if (setjmp(png_jmpbuf(state)) != 0) return false;
  if (!read_header(state, info, reading)) return false;
  png_set_packing(state);  // a byte each, unscaled
  png_set_strip_alpha(state);
  read_rows(state, info, 1, numbers);
  return true;
}

// Calls `read` with the states of a decoder, which it may leave by a jump.
template <class Read>
bool with_decoder(const std::string& bytes, std::string& why, const Read& read) {
  Reading reading{bytes};
  png_structp state = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, stop, ignore);
  png_infop info = state != nullptr ? png_create_info_struct(state) : nullptr;
  const bool good = info != nullptr && read(state, info, reading);
  png_destroy_read_struct(&state, &info, nullptr);
  if (!good) why = reading.message;
  return good;
}

}  // namespace

bool starts(const std::string& bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }

bool decode(const std::string& bytes, Decoded& out, std::string& why) {
  return with_decoder(bytes, why, [&](png_structp state, png_infop info, Reading& reading) {
    return read_colours(state, info, reading, out);
  });
}

// The colour type of the header, which every PNG begins with.
bool is_of_colours(const std::string& bytes) {
  constexpr size_t kColourType = 25;
  const int type = bytes.size() > kColourType ? static_cast<unsigned char>(bytes[kColourType]) : 0;
  return (type & PNG_COLOR_MASK_COLOR) != 0 && (type & PNG_COLOR_MASK_PALETTE) == 0;
}

bool decode_numbers(const std::string& bytes, int64_t& height, int64_t& width, std::vector<uint8_t>& numbers,
                    std::string& why) {
  return with_decoder(bytes, why, [&](png_structp state, png_infop info, Reading& reading) {
    if (!read_numbers(state, info, reading, numbers)) return false;
    height = png_get_image_height(state, info);
    width = png_get_image_width(state, info);
    return true;
  });
}

}  // namespace sft::png
