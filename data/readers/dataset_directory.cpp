#include "data/readers/dataset_directory.h"

#include <algorithm>
#include <filesystem>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/shallow_json.h"
#include "base/text.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kState[] = "state.json", kSplits[] = "dataset_dict.json";

json read_json(const std::string& path) {
  json tree = parse_shallow_json(read_file(path), path);
  if (!tree.is_object()) throw DataError(concat(path, ": no JSON object; save_to_disk() of datasets writes one"));
  return tree;
}

// A name in the directory, not a way out of it.
std::string plain_name(const json& name, const std::string& file) {
  if (name.is_string())
    if (const std::string text = name; !text.empty() && text[0] != '.' && text.find('/') == std::string::npos)
      return text;
  throw DataError(concat(file, ": a name in it is no name of a file in its directory"));
}

std::vector<std::string> files_of_split(const std::string& path) {
  const std::string state = path + "/" + kState;
  const json tree = read_json(state);
  const auto entries = tree.find("_data_files");
  if (entries == tree.end() || !entries->is_array()) throw DataError(concat(state, ": it has no list '_data_files'"));
  std::vector<std::string> files;
  for (const json& entry : *entries) {
    const std::string name = plain_name(entry.is_object() ? entry.value("filename", json()) : json(), state);
    files.push_back(path + "/" + name);
    if (!fs::is_regular_file(files.back()))
      throw DataError(
          concat(state, ": names ", in_quotes(name), ", which is not there; was the directory copied whole?"));
  }
  if (files.empty()) throw DataError(concat(state, ": it names no file: the dataset has no rows"));
  return files;
}

std::vector<std::string> splits_of(const std::string& path) {
  const std::string file = path + "/" + kSplits;
  const json tree = read_json(file);
  const auto names = tree.find("splits");
  if (names == tree.end() || !names->is_array() || names->empty())
    throw DataError(concat(file, ": it has no list 'splits'"));
  std::vector<std::string> splits;
  for (const json& name : *names) splits.push_back(plain_name(name, file));
  return splits;
}

}  // namespace

bool is_dataset_directory(const std::string& path) {
  return fs::is_regular_file(path + "/" + kState) || fs::is_regular_file(path + "/" + kSplits);
}

std::vector<std::string> files_of_dataset(const std::string& path, const std::vector<std::string>& names,
                                          const std::string& where) {
  if (fs::is_regular_file(path + "/" + kState)) return files_of_split(path);
  const std::vector<std::string> splits = splits_of(path);
  if (names.empty() && splits.size() == 1) return files_of_split(path + "/" + splits.front());
  for (const std::string& name : names)
    if (std::ranges::find(splits, name) != splits.end()) return files_of_split(path + "/" + name);
  std::vector<std::string> shown;
  for (const std::string& split : splits) shown.push_back(in_quotes(path + "/" + split, 400));
  throw ConfigError(concat(where, ": ", in_quotes(path, 400), " is a dataset of several splits",
                           names.empty() ? "" : concat(", none of them called ", join(names, " or ")),
                           "; name one: ", join(shown, ", ")));
}

}  // namespace sft
