// What every target shares: an input as a file, and the errors that it may be answered with.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/errors.h"

namespace sft::fuzz {

// A directory of this process in memory, which goes when the process ends well.
class Folder {
 public:
  Folder() : Folder(std::filesystem::path("/dev/shm") / ("sft-fuzz-" + std::to_string(::getpid()))) {}
  explicit Folder(std::filesystem::path path) : path_(std::move(path)) { std::filesystem::create_directories(path_); }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder below(const std::string& name) const { return Folder(path_ / name); }

  // The path of a file that holds the bytes now.
  std::string put(const std::string& name, std::string_view bytes) const {
    const std::filesystem::path path = path_ / name;
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline const Folder& folder() {
  static const Folder one;
  return one;
}

// What is wrong with an input is an Error; anything else that leaves `body` is a finding.
template <class Body>
void allow_errors(const Body& body) {
  try {
    body();
  } catch (const Error&) {
  }
}

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace sft::fuzz

// Defines the function that libFuzzer calls, of one view of the input.
#define SFT_FUZZ(input)                                                  \
  static void fuzz_one(std::string_view input);                          \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t n) { \
    fuzz_one(sft::fuzz::text_of(data, n));                               \
    return 0;                                                            \
  }                                                                      \
  static void fuzz_one(std::string_view input)
