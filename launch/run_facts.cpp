#include "launch/run_facts.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <vector>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/input_file.h"
#include "base/progress.h"
#include "base/text.h"
#include "trainer/model_files/model_directory.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kPieceBytes = 64 << 10, kMostPieces = 64, kMostPiecesInAll = 4096;

// "/optim/learning_rate" → "optim.learning_rate".
std::string key_of(const std::string& pointer) {
  std::string key = pointer.substr(1);
  std::ranges::replace(key, '/', '.');
  return key;
}

std::string content_of(const std::string& path, int64_t most_pieces) {
  const InputFile file(path);
  const int64_t pieces = std::min(most_pieces, (file.size() + kPieceBytes - 1) / kPieceBytes);
  const int64_t room = std::max<int64_t>(file.size() - kPieceBytes, 0);
  std::vector<char> piece(kPieceBytes);
  uint32_t sum = 0;
  for (int64_t i = 0; i < pieces; ++i) {
    beat();
    const int64_t evenly = pieces == 1 ? 0 : room / (pieces - 1) * i + room % (pieces - 1) * i / (pieces - 1);
    sum = crc32c(piece.data(), file.read(piece.data(), piece.size(), evenly), sum);
  }
  return concat(file.size(), " bytes, crc32c ", std::hex, sum);
}

bool is_read(const fs::path& path) {
  constexpr std::array kEndings{".json", ".txt", ".model", ".jinja", ".safetensors"};
  return std::ranges::find(kEndings, path.extension().string()) != kEndings.end();
}

// The content of its files by `name`, which means the same on all hosts, as the path of a hub's cache may not.
Facts directory_facts(const std::string& name, const std::string& path) {
  Facts facts;
  if (path.empty()) return facts;
  if (fs::is_regular_file(path)) return {{"content of " + name, content_of(path, kMostPieces)}};
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.is_regular_file() && is_read(entry.path()))
      facts[concat("content of ", name, "/", entry.path().filename().string())] =
          content_of(entry.path().string(), kMostPieces);
  return facts;
}

}  // namespace

Facts config_facts(const RunConfig& config) {
  nlohmann::json keys = to_json(config);
  if (!config.deterministic) keys.erase("threads");
  const nlohmann::json flat = keys.flatten();
  Facts facts;
  for (const auto& [pointer, value] : flat.items()) facts[key_of(pointer)] = value.dump();
  return facts;
}

Facts file_facts(const StringList& files) {
  const int64_t most = std::clamp(kMostPiecesInAll / std::max<int64_t>(std::ssize(files), 1), int64_t{1}, kMostPieces);
  Facts facts;
  for (const std::string& path : files) {
    std::string& content = facts["content of " + path];
    try {
      content = fs::is_directory(path) ? "a directory" : content_of(path, most);
    } catch (const Error& error) {
      content = error.what();
    }
  }
  return facts;
}

Facts model_facts(const std::string& model_name_or_path, const std::string& adapter) {
  try {
    const ModelDirectory model(model_name_or_path, adapter);
    Facts facts = directory_facts(model_name_or_path, model.path());
    facts.merge(directory_facts("the adapter " + adapter, model.adapter()));
    return facts;
  } catch (const Error& error) {
    return {{"content of " + model_name_or_path, error.what()}};
  }
}

Facts run_facts(const RunConfig& config) {
  Facts facts = config_facts(config);
  const DataConfig& data = config.data;
  StringList files;
  try {
    for (const auto& [key, patterns] : {std::pair{"data.train_file", &data.train_file},
                                        {"data.validation_file", &data.validation_file},
                                        {"data.test_file", &data.test_file}}) {
      const StringList more = expand_files(*patterns, key, {}, accepted_by(config.model.task));
      files.insert(files.end(), more.begin(), more.end());
    }
    facts.merge(file_facts(files));
  } catch (const Error& error) {
    facts["files of rows"] = error.what();
  }
  facts.merge(model_facts(config.model.model_name_or_path, config.model.adapter));
  return facts;
}

Facts served_facts(const RunConfig& config, const std::string& model_directory, const StringList& files) {
  Facts facts = config_facts(config);
  facts.merge(file_facts(files));
  facts.merge(model_facts(model_directory, ""));
  return facts;
}

}  // namespace sft
