#include "launch/near_duplicate_rows.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/file_ops.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/hash/sha256.h"
#include "data/images/difference_hash.h"
#include "data/loading/augment.h"
#include "data/prepare/input.h"
#include "data/prepare/near_duplicates.h"
#include "data/readers/input_rows.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostDifferentBits = 3;
constexpr char kFilePrefix[] = "near_duplicates-", kNearestPlace[] = "nearest_train_place",
               kNearestRow[] = "nearest_train_row";

// The texts of a row and of its pair; "" where a column is missing or holds no text.
std::string text_of(const Row& row, const DataConfig& config) {
  StringList columns = config.text_column;
  if (!config.text_pair_column.empty()) columns.push_back(config.text_pair_column);
  std::string all;
  for (const std::string& column : columns) {
    const Cell* cell = row.find(column);
    if (cell == nullptr || (cell->kind != Cell::Kind::text && cell->kind != Cell::Kind::plain) ||
        !is_valid_utf8(cell->text))
      return "";
    all += cell->text + ' ';
  }
  return all;
}

void each_text(const StringList& files, const DataConfig& config,
               const std::function<void(const std::string& text, const std::string& place)>& visit) {
  InputRows rows(files, quotes_of(config));
  Row row;
  for (bool more = true; more;) {
    beat();
    try {
      more = rows.next(row);
      if (!more) break;
      if (const std::string text = text_of(row, config); !text.empty()) visit(text, row.place());
    } catch (const BadRow&) {
      continue;  // told, or left out, where samples are made
    }
  }
}

std::string told(int64_t count, int64_t num_rows, const std::string& split, const std::string& lines,
                 const std::string& compared, const std::string& directory) {
  const std::string rows = concat(human_count(static_cast<double>(num_rows)), " ", split, " rows");
  if (count == 0) return concat("none of ", rows, " nearly repeats a training row");
  const std::string path = concat(directory, "/", kFilePrefix, sha256(compared).substr(0, 16), ".jsonl");
  real_files().make_directory(directory);  // of shards that were there already, nothing was prepared
  write_atomically(real_files(), path, lines);
  return concat(human_count(static_cast<double>(count)), " of ", rows,
                " nearly repeat a training row, so that scores on them say little of new rows: ", path);
}

// Of pictures, which all have one size; else none.
std::vector<uint64_t> hashes_of(const Dataset& pictures) {
  const size_t column = pictures.schema().place("pixels");
  if (column == SIZE_MAX || !is_picture(pictures.schema().columns[column])) return {};
  const std::vector<int64_t>& shape = pictures.schema().columns[column].shape;
  std::vector<uint64_t> hashes;
  for (int64_t i = 0; i < pictures.size(); ++i) {
    beat();
    Packed cell(Number::uint8);
    pictures.append(i, column, cell);
    const std::span<const uint8_t> pixels = cell.as<uint8_t>();
    hashes.push_back(difference_hash({shape[0], shape[1], {pixels.begin(), pixels.end()}}));
  }
  return hashes;
}

// A row, and the number of its text.
struct HeldOutRow {
  std::string place;
  std::optional<size_t> number;
};

// The training row that is nearest to a text; none: similarity 0.
struct Nearest {
  std::string place;
  double similarity = 0;
};

}  // namespace

std::string tell_near_duplicates(const LoadedConfig& loaded, const std::string& directory) {
  const DataConfig& config = loaded.config.data;
  const bool has_test = !config.test_file.empty();
  const char* split = has_test ? "test" : "validation";
  const StringList& patterns = has_test ? config.test_file : config.validation_file;
  if (patterns.empty()) return "";
  const Accepts accepts = accepted_by(loaded.config.model.task);
  const StringList train = expand_files(config.train_file, "data.train_file", loaded.origins, accepts);
  const StringList held_out = expand_files(patterns, concat("data.", split, "_file"), loaded.origins, accepts);
  const auto are_rows = [](const StringList& files) { return std::ranges::all_of(files, is_row_file); };
  if (!are_rows(train) || !are_rows(held_out)) return "";

  std::vector<HeldOutRow> rows;
  NearDuplicates texts;
  each_text(held_out, config, [&](const std::string& text, const std::string& place) {
    rows.push_back({place, texts.add(text)});
  });
  if (rows.empty()) return "";
  std::vector<Nearest> nearest(rows.size());  // by number
  each_text(train, config, [&](const std::string& text, const std::string& place) {
    for (const auto& [number, similarity] : texts.near(text))
      if (similarity > nearest[number].similarity) nearest[number] = {place, similarity};
  });

  std::string lines;
  int64_t count = 0;
  for (const auto& [place, number] : rows) {
    if (!number || nearest[*number].similarity == 0) continue;
    ++count;
    const auto& [train_place, similarity] = nearest[*number];
    const Json line{{"place", place}, {kNearestPlace, train_place}, {"similarity", similarity}};
    lines += line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  }
  return told(count, std::ssize(rows), split, lines, join(train, "\n") + "\n" + join(held_out, "\n"), directory);
}

bool is_near_duplicates_file(const std::string& path) {
  if (!std::filesystem::path(path).filename().string().starts_with(kFilePrefix)) return false;
  std::ifstream in(path, std::ios::binary);
  std::string line;
  std::getline(in, line);
  const Json first = Json::parse(line, nullptr, false);
  return first.is_object() && (first.contains(kNearestPlace) || first.contains(kNearestRow));
}

std::string tell_near_duplicate_pictures(const Dataset& train, const Dataset& held_out, const std::string& split,
                                         const std::string& directory) {
  const std::vector<uint64_t> known = hashes_of(train), asked = hashes_of(held_out);
  if (known.empty() || asked.empty()) return "";
  std::string lines;
  int64_t count = 0;
  for (int64_t i = 0; i < std::ssize(asked); ++i) {
    beat();
    const auto bits = [&](uint64_t hash) { return different_bits(hash, asked[static_cast<size_t>(i)]); };
    const auto nearest = std::ranges::min_element(known, {}, bits);
    if (bits(*nearest) > kMostDifferentBits) continue;
    ++count;
    const Json line{{"row", held_out.row(i)},
                    {kNearestRow, train.row(nearest - known.begin())},
                    {"different_bits", bits(*nearest)}};
    lines += line.dump() + '\n';
  }
  return told(count, held_out.size(), split, lines, train.info().fingerprint + held_out.info().fingerprint, directory);
}

}  // namespace sft
