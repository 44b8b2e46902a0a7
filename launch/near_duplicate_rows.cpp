#include "launch/near_duplicate_rows.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
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
#include "data/prepare/rounds.h"

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

using VisitText = std::function<void(const std::string& text, const std::string& place)>;

void each_text(Reader& rows, const DataConfig& config, const VisitText& visit) {
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

// Rows of files that are held out, and what their texts are compared by.
struct HeldOut {
  struct RowOfText {
    std::string place;
    std::optional<size_t> number;  // of its text
  };
  std::vector<RowOfText> rows;
  NearDuplicates texts;
};

void hold_out(const Input& input, int64_t pieces, const DataConfig& config, HeldOut& into) {
  for (int64_t piece = 0; piece < pieces; ++piece)
    each_text(*input.open(piece), config, [&](const std::string& text, const std::string& place) {
      into.rows.push_back({place, into.texts.add(text)});
    });
}

// The training row that is nearest to a text; none: similarity 0.
struct Nearest {
  std::string place;
  double similarity = 0;
};

// By the number of the text: the nearest row of a piece; of several the first.
std::map<size_t, Nearest> nearest_in(Reader& rows, const DataConfig& config, const NearDuplicates& texts) {
  std::map<size_t, Nearest> nearest;
  each_text(rows, config, [&](const std::string& text, const std::string& place) {
    for (const auto& [number, similarity] : texts.near(text))
      if (similarity > nearest[number].similarity) nearest[number] = {place, similarity};
  });
  return nearest;
}

// The same of all pieces, of which each rank reads its own.
std::map<size_t, Nearest> nearest_of_all(const Input& input, int64_t pieces, const DataConfig& config,
                                         const NearDuplicates& texts, const Peers& peers) {
  const auto by_piece = gather_in_rounds(pieces, peers, [&](int64_t piece) {
    nlohmann::json told = nlohmann::json::array();
    for (const auto& [number, row] : nearest_in(*input.open(piece), config, texts))
      told.push_back({number, row.similarity, row.place});
    return told;
  });
  std::map<size_t, Nearest> nearest;
  for (const auto& [piece, told] : by_piece)
    for (const auto& row : told)
      if (Nearest& known = nearest[row[0]]; row[1] > known.similarity) known = {row[2], row[1]};
  return nearest;
}

}  // namespace

std::string tell_near_duplicates(const LoadedConfig& loaded, const std::string& directory, const Peers& peers) {
  const DataConfig& config = loaded.config.data;
  const bool has_test = !config.test_file.empty();
  const char* split = has_test ? "test" : "validation";
  const StringList& patterns = has_test ? config.test_file : config.validation_file;
  if (patterns.empty()) return "";
  StringList train, held_out;
  std::unique_ptr<Input> train_rows, held_out_rows;
  peers.together([&] {
    const Accepts accepts = accepted_by(loaded.config.model.task);
    train = expand_files(config.train_file, "data.train_file", loaded.origins, accepts);
    held_out = expand_files(patterns, concat("data.", split, "_file"), loaded.origins, accepts);
    if (!std::ranges::all_of(train, is_row_file) || !std::ranges::all_of(held_out, is_row_file)) return;
    train_rows = open_rows(train, config);
    held_out_rows = open_rows(held_out, config);
  });
  if (!train_rows) return "";

  HeldOut known;
  const int64_t pieces = held_out_rows->cut(peers);
  peers.together([&] { hold_out(*held_out_rows, pieces, config, known); });
  if (known.rows.empty()) return "";
  const auto nearest = nearest_of_all(*train_rows, train_rows->cut(peers), config, known.texts, peers);

  return from_root(peers, [&] {
    std::string lines;
    int64_t count = 0;
    for (const auto& [place, number] : known.rows) {
      const auto found = number ? nearest.find(*number) : nearest.end();
      if (found == nearest.end()) continue;
      ++count;
      const Json line{
          {"place", place}, {kNearestPlace, found->second.place}, {"similarity", found->second.similarity}};
      lines += line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
    }
    const std::string compared = join(train, "\n") + "\n" + join(held_out, "\n");
    return told(count, std::ssize(known.rows), split, lines, compared, directory);
  });
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
