// JPEG by libjpeg, with its defaults, which are PIL's. It reports errors by longjmp, so nothing with a destructor lives
// in the function that it jumps back to.
#include <csetjmp>
#include <cstdio>
#include <string_view>
// after <cstdio>, which it needs
#include <jerror.h>
#include <jpeglib.h>

#include "data/images/formats.h"
#include "data/images/orientation.h"

namespace sft::jpeg {
namespace {

constexpr char kCmyk[] = "CMYK";

struct Failure {
  jpeg_error_mgr manager;  // first, so that a pointer to it is one to this
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

void stop(j_common_ptr state) {
  auto* failure = reinterpret_cast<Failure*>(state->err);
  failure->manager.format_message(state, failure->message);
  std::longjmp(failure->back, 1);
}

// libjpeg fills what is missing with grey and warns; here a damaged image is no image. Bytes between two markers hurt
// nothing, and cameras write them.
void warn(j_common_ptr state, int level) {
  if (level < 0 && state->err->msg_code != JWRN_EXTRANEOUS_DATA) stop(state);
}

int orientation_in(const jpeg_decompress_struct& state) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  for (const jpeg_marker_struct* marker = state.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view bytes(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (bytes.starts_with(kExif)) return orientation_of(bytes.substr(kExif.size()));
  }
  return 1;
}

// Inks that are stored inverted, as Adobe's programs do and PIL takes them all to be: [pixels, 4] → [pixels, RGB].
void mix_inks(std::vector<uint8_t>& pixels) {
  const auto share = [](int a, int b) {  // a b / 255, rounded
    const int product = a * b + 128;
    return (product + (product >> 8)) >> 8;
  };
  const size_t count = pixels.size() / 4;
  for (size_t p = 0; p < count; ++p) {
    const int light = pixels[4 * p + 3];
    for (size_t c = 0; c < kChannels; ++c)
      pixels[p * kChannels + c] = static_cast<uint8_t>(light - share(255 - pixels[4 * p + c], light));
  }
  pixels.resize(count * kChannels);
}

bool read(jpeg_decompress_struct& state, Failure& failure, const std::string& bytes, Decoded& out) {
  if (setjmp(failure.back) != 0) return false;
  jpeg_create_decompress(&state);
  jpeg_mem_src(&state, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_save_markers(&state, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&state, TRUE);
  if (state.image_width > kMostPixels / state.image_height) {
    std::snprintf(failure.message, sizeof failure.message, "%u × %u pixels are too many", state.image_height,
                  state.image_width);
    return false;
  }
  if (state.jpeg_color_space == JCS_GRAYSCALE) out.was = "grey";
  if (state.jpeg_color_space == JCS_CMYK || state.jpeg_color_space == JCS_YCCK) out.was = kCmyk;
  state.out_color_space = out.was == kCmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&state);
  out.image.height = state.output_height;
  out.image.width = state.output_width;
  const size_t row_bytes = size_t{state.output_width} * static_cast<size_t>(state.output_components);
  out.image.pixels.resize(row_bytes * state.output_height);
  while (state.output_scanline < state.output_height) {
    JSAMPROW row = out.image.pixels.data() + row_bytes * state.output_scanline;
    jpeg_read_scanlines(&state, &row, 1);
  }
  out.orientation = orientation_in(state);
  jpeg_finish_decompress(&state);
  return true;
}

}  // namespace

bool starts(const std::string& bytes) { return bytes.starts_with("\xff\xd8\xff"); }

bool decode(const std::string& bytes, Decoded& out, std::string& why) {
  jpeg_decompress_struct state{};
  Failure failure{};
  state.err = jpeg_std_error(&failure.manager);
  failure.manager.error_exit = stop;
  failure.manager.emit_message = warn;
  const bool good = read(state, failure, bytes, out);
  jpeg_destroy_decompress(&state);
  if (good && out.was == kCmyk) mix_inks(out.image.pixels);
  if (!good) why = std::string("is a damaged JPEG: ") + failure.message;
  return good;
}

}  // namespace sft::jpeg
