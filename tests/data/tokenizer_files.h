// The tokenizers and texts of tokenizer_reference.json.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/text.h"

namespace sft {

using nlohmann::json;
namespace fs = std::filesystem;

inline const json& reference() {
  static const json content = json::parse(std::ifstream(SFT_TESTS "/data/tokenizer_reference.json"));
  return content;
}

inline std::string text_of(size_t i) {
  const json& entry = reference()["texts"][i];
  const auto text = entry["text"].get<std::string>();
  std::string out;
  for (int n = entry["repeat"]; n > 0; --n) out += text;
  return out;
}

// A folder of the given files that is gone at the end of the test.
class Folder {
 public:
  explicit Folder(const json& files) {
    static int count = 0;
    path_ = fs::temp_directory_path() / concat("sft-tokenizer-", ::getpid(), "-", count++);
    fs::create_directories(path_);
    for (const auto& [name, content] : files.items())
      std::ofstream(path_ / name, std::ios::binary) << content.get<std::string>();
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_; }

 private:
  fs::path path_;
};

inline const json& files_of(std::string_view name) {
  for (const json& entry : reference()["tokenizers"]) {
    if (entry["name"] == name) return entry["files"];
  }
  throw std::out_of_range(std::string(name));
}

}  // namespace sft
