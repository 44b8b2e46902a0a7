// Rows that name images, as a manifest in CSV does, or hold them, as `datasets` keeps {bytes, path} in Parquet and
// Arrow. Names are relative to the directory of the file that has them.
#include <algorithm>
#include <filesystem>
#include <limits>

#include "base/file_ops.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "data/prepare/input.h"
#include "data/readers/file_tests.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUsual[] = {"image", "img", "file_name", "path"};

class HeldPicture final : public Picture {
 public:
  HeldPicture(std::string place, std::string bytes) : place_(std::move(place)), bytes_(std::move(bytes)) {}
  std::string place() const override { return place_; }
  std::string bytes() const override { return bytes_; }
  Decoded decoded() const override { return decode_picture(bytes_, place_); }

 private:
  std::string place_, bytes_;
};

class NamedPicture final : public Picture {
 public:
  explicit NamedPicture(std::string path) : path_(std::move(path)) {}
  std::string place() const override { return path_; }
  std::string bytes() const override { return read_file(path_); }
  Decoded decoded() const override { return decode_picture(bytes(), path_); }

 private:
  std::string path_;
};

// Whether it is the bytes of an image, those too that happen to be UTF-8, as of a dark BMP: no path has a zero in it.
bool is_held(const Cell* cell) {
  if (cell == nullptr) return false;
  return cell->kind == Cell::Kind::bytes ||
         (cell->kind == Cell::Kind::text && cell->text.find('\0') != std::string::npos);
}

bool is_text(const Cell* cell) {
  return cell != nullptr && (cell->kind == Cell::Kind::text || cell->kind == Cell::Kind::plain) && !cell->text.empty();
}

std::string beside(const std::string& file, const std::string& name) {
  return (fs::path(file).parent_path() / name).string();
}

class PictureRows final : public Reader {
 public:
  PictureRows(std::unique_ptr<Reader> rows, std::string image_column, std::string label_column)
      : rows_(std::move(rows)), image_column_(std::move(image_column)), label_column_(std::move(label_column)) {}

  bool next(Row& row) override {
    if (!rows_->next(row_)) return false;
    auto picture = picture_of(row_);
    row.clear();
    row.line = row_.line;
    row.file = row_.file;
    row.picture = std::move(picture);
    if (label_column_.empty()) return true;
    Cell* const label = row_.find(label_column_);
    if (label == nullptr) throw BadRow(concat(row_.place(), ": the row has no ", in_quotes(label_column_)));
    std::swap(row.add("label"), *label);
    return true;
  }

 private:
  std::shared_ptr<const Picture> picture_of(const Row& row) const {
    const Cell* cell = row.find(image_column_);
    const auto refuse = [&](const std::string& problem) {
      throw BadRow(concat(row.place(), ": ", in_quotes(image_column_), " ", problem));
    };
    if (cell == nullptr) refuse("is not in the row");
    if (cell->kind == Cell::Kind::nested) {
      const Cell* bytes = cell->find("bytes");
      if (bytes == nullptr || (bytes->kind != Cell::Kind::bytes && bytes->kind != Cell::Kind::text))
        refuse("holds no bytes of an image; save_to_disk() and to_parquet() of datasets embed them");
      return std::make_shared<HeldPicture>(row.place(), bytes->text);
    }
    if (is_held(cell)) return std::make_shared<HeldPicture>(row.place(), cell->text);
    if (!is_text(cell)) refuse(concat("is wanted as the path of an image, or its bytes, found ", describe(*cell)));
    const std::string path = beside(*row.file, cell->text);
    if (!fs::is_regular_file(path))
      refuse(concat("names ", in_quotes(path, 400), ", and there is no such file", hint_of_backslashes(path)));
    return std::make_shared<NamedPicture>(path);
  }

  std::unique_ptr<Reader> rows_;
  Row row_;
  std::string image_column_, label_column_;
};

class PicturesOfRows final : public Input {
 public:
  PicturesOfRows(const StringList& files, bool labels, const DataConfig& config)
      : files_(files),
        quotes_(quotes_of(config)),
        rows_(open_rows(files, config)),
        image_column_(config.image_column),
        label_column_(labels ? config.label_column : "") {
    for (const std::string& file : files)
      if (!is_row_file(file))
        throw ConfigError(concat(file, ": is no file of rows, as ", files.front(), " is; wanted one sort of them"));
    if (!image_column_.empty()) return;
    const StringList columns = columns_of(files.front(), quotes_);
    const auto usual = std::ranges::find_if(
        kUsual, [&](const char* name) { return std::ranges::find(columns, name) != columns.end(); });
    image_column_ = usual == std::end(kUsual) ? kUsual[0] : *usual;
  }

  const char* noun() const override { return "image"; }

  // The files that are named count as much as those that name them.
  std::vector<StringList> files() const override {
    std::vector<StringList> out;
    for (const std::string& file : files_) {
      StringList& all = out.emplace_back(StringList{file});
      const auto reader = open_reader(file, {}, std::numeric_limits<int64_t>::max(), quotes_);
      for (Row row;;) {
        leave_if_asked();
        try {
          if (!reader->next(row)) break;
        } catch (const BadRow&) {
          continue;  // told, or counted, when the rows are read
        }
        const Cell* cell = row.find(image_column_);
        if (is_held(cell) || (cell != nullptr && cell->kind == Cell::Kind::nested)) break;
        if (!is_text(cell)) continue;
        if (std::string path = beside(file, cell->text); fs::is_regular_file(path)) all.push_back(std::move(path));
      }
    }
    return out;
  }

  std::string told_by_names(const std::vector<StringList>& files) const override { return names_of(files); }

  void require(const std::vector<WantedColumn>& /*of_hdf5*/) const override {
    rows_->require({{"image_column", image_column_}, {"label_column", label_column_}});
  }

  int64_t cut(const Peers& peers) override { return rows_->cut(peers); }

  std::unique_ptr<Reader> open(int64_t piece) const override {
    return std::make_unique<PictureRows>(rows_->open(piece), image_column_, label_column_);
  }

 private:
  StringList files_;
  Quotes quotes_;
  std::unique_ptr<Input> rows_;
  std::string image_column_, label_column_;
};

}  // namespace

std::unique_ptr<Input> open_pictures_of_rows(const StringList& files, bool labels, const DataConfig& config) {
  return std::make_unique<PicturesOfRows>(files, labels, config);
}

}  // namespace sft
