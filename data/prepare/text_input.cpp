#include <algorithm>

#include "base/input_file.h"
#include "base/text.h"
#include "data/native/decompressed.h"
#include "data/prepare/input.h"
#include "data/prepare/rounds.h"

namespace sft {
namespace {

using nlohmann::json;

// 64 pieces keep many ranks busy; tokens take about half the bytes of their text, so the largest shard of a text is
// about 500 MB (of a compressed file, which is one piece, half of what it unpacks to). A piece of 4 MiB is tokenized in
// a second, and smaller ones would only be more files to open.
constexpr int64_t kTextPieces = 64, kLeastBytes = 4 << 20, kMostBytes = 1 << 30;

// Bytes of one file, from where a reader can begin.
struct Slice {
  size_t file = 0;
  Place begin;
  int64_t end = 0;
};

using Piece = std::vector<Slice>;

std::vector<Piece> cut_sizes(const std::vector<int64_t>& sizes) {
  int64_t total = 0;
  for (const int64_t size : sizes) total += size;
  const int64_t piece_bytes = std::clamp(total / kTextPieces, kLeastBytes, kMostBytes);

  std::vector<Piece> pieces;
  int64_t left = 0;  // in the last piece
  for (size_t file = 0; file < sizes.size(); ++file) {
    for (int64_t at = 0; at < sizes[file];) {
      if (left == 0) {
        pieces.emplace_back();
        left = piece_bytes;
      }
      const int64_t bytes = std::min(left, sizes[file] - at);
      pieces.back().push_back({file, Place{at}, at + bytes});
      at += bytes;
      left -= bytes;
    }
  }
  return pieces;
}

// The slices behind which another one of the same file begins: what is in them matters there.
std::vector<Slice*> followed(std::vector<Piece>& pieces) {
  std::vector<Slice*> all;
  for (Piece& piece : pieces) {
    for (Slice& slice : piece) all.push_back(&slice);
  }
  std::vector<Slice*> out;
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    if (all[i + 1]->begin.byte > 0) out.push_back(all[i]);
  }
  return out;
}

// The rows of a piece's slices, one after the other.
class PieceReader final : public Reader {
 public:
  PieceReader(const StringList& files, const Piece& piece, Quotes quotes)
      : files_(files), piece_(piece), quotes_(quotes) {}

  bool next(Row& row) override {
    for (; at_ < piece_.size(); ++at_, reader_.reset()) {
      const Slice& slice = piece_[at_];
      row.file = &files_[slice.file];
      if (!reader_) reader_ = open_reader(*row.file, slice.begin, slice.end, quotes_);
      if (reader_->next(row)) return true;
    }
    return false;
  }

 private:
  const StringList& files_;
  const Piece& piece_;
  Quotes quotes_;
  size_t at_ = 0;
  std::unique_ptr<Reader> reader_;
};

// One column whose name holds a separator is several columns of a file that uses another one, and a name with a
// carriage return in it goes over the end of a line.
std::string separator_hint(const std::string& path, const StringList& found) {
  const char read = uncompressed_name(path).ends_with(".tsv") ? '\t' : ',';
  for (const std::string& name : found)
    if (name.find('\r') != std::string::npos)
      return "; the lines seem to end in carriage returns alone, and line feeds are read";
  for (const char other : {';', '\t', '|', ','})
    if (found.size() == 1 && other != read && found[0].find(other) != std::string::npos)
      return concat("; the columns seem to be separated by ", in_quotes(std::string(1, other)), ", and ",
                    in_quotes(std::string(1, read)), " is read");
  return "";
}

class TextInput final : public Input {
 public:
  TextInput(const StringList& files, Quotes quotes) : files_(files), quotes_(quotes) {}

  const char* noun() const override { return "row"; }

  std::vector<StringList> files() const override {
    std::vector<StringList> out;
    for (const std::string& path : files_) out.push_back({path});
    return out;
  }

  void require(const std::vector<WantedColumn>& columns) const override {
    for (const std::string& path : files_) {
      const StringList found = columns_of(path, quotes_);
      if (found.empty()) continue;  // no row: no matter, as long as another file has some
      for (const auto& [key, name] : columns) {
        if (name.empty() || std::ranges::find(found, name) != found.end()) continue;
        const std::string hint = separator_hint(path, found);
        throw ConfigError(concat(path, ": data.", key, " = ", in_quotes(name),
                                 ", but the columns are: ", list_of_columns(found, hint.empty() ? name : ""), hint));
      }
    }
  }

  int64_t cut(const Peers& peers) override {
    std::vector<int64_t> sizes;
    peers.together([&] {
      for (const std::string& path : files_) sizes.push_back(InputFile(path).size());
    });
    pieces_ = cut_sizes(sizes);
    const std::vector<Slice*> surveyed = followed(pieces_);
    const auto stretches = gather_in_rounds(static_cast<int64_t>(surveyed.size()), peers, [&](int64_t i) {
      const Slice& slice = *surveyed[static_cast<size_t>(i)];
      const Stretch stretch = survey(files_[slice.file], slice.begin.byte, slice.end, quotes_);
      return json{stretch.line_breaks, stretch.leaves};
    });
    size_t next = 0;
    Place place;
    for (Piece& piece : pieces_) {
      for (Slice& slice : piece) {
        if (slice.begin.byte > 0) slice.begin = place;
        if (next == surveyed.size() || surveyed[next] != &slice) continue;
        const json& stretch = stretches.at(static_cast<int64_t>(next++));
        place = behind(slice.begin, {slice.end - slice.begin.byte, stretch[0], stretch[1]});
      }
    }
    return static_cast<int64_t>(pieces_.size());
  }

  std::unique_ptr<Reader> open(int64_t piece) const override {
    return std::make_unique<PieceReader>(files_, pieces_[static_cast<size_t>(piece)], quotes_);
  }

 private:
  StringList files_;
  Quotes quotes_;
  std::vector<Piece> pieces_;
};

}  // namespace

std::string list_of_columns(const StringList& names, const std::string& wanted) {
  constexpr size_t kShown = 20;
  StringList shown;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) shown.push_back(in_quotes(names[i], 40));
  if (names.empty()) return "none";
  return concat(join(shown, ", "), names.size() > kShown ? ", …" : "", did_you_mean(wanted, names));
}

std::unique_ptr<Input> open_rows(const StringList& files, const DataConfig& config) {
  return std::make_unique<TextInput>(files, quotes_of(config));
}

Quotes quotes_of(const DataConfig& config) { return config.quoting == "none" ? Quotes::letters : Quotes::enclose; }

}  // namespace sft
