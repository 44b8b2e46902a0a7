#include "trainer/tasks/image_classification/recipe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "base/text.h"
#include "data/prepare/report.h"
#include "trainer/tasks/recipes/cells.h"
#include "trainer/tasks/recipes/class_names.h"
#include "trainer/tasks/recipes/label_doubts.h"
#include "trainer/tasks/recipes/picture_notes.h"
#include "trainer/tasks/recipes/picture_size.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr size_t kPixels = 0, kLabels = 1, kPlace = 2;

// The datasets that [data] chooses for HDF5.
ImageColumns image_columns(const DataConfig& config) {
  const bool usual = config.label_column == DataConfig{}.label_column;
  return {config.image_column, usual ? "" : config.label_column};
}

class ImageClassification final : public Recipe {
 public:
  ImageClassification(const PrepareRequest& request, const DataConfig& config)
      : request_(request),
        config_(config),
        columns_(image_columns(config)),
        keeps_places_(request.keep_notes && !request.labels_required),
        size_(request, config),
        classes_(request) {}

  std::unique_ptr<Input> open(const StringList& paths) const override {
    if (std::ranges::any_of(paths, is_row_file)) return open_pictures_of_rows(paths, request_.labels_required, config_);
    return open_pictures(paths, request_.labels_required, columns_);
  }

  std::vector<WantedColumn> wanted_columns() const override {
    return {{"image_column", columns_.pixels}, {"label_column", columns_.labels}};
  }

  json key() const override {
    json key{{"columns", {columns_.pixels, columns_.labels}}, {"notes", keeps_places_}, {"labels", classes_.key()}};
    size_.add_to(key);
    return key;
  }

  bool wants_glance() const override { return size_.wants_glance(); }
  bool glance(const Row& row, Census& into) const override { return size_.glance(row, into); }
  void expect(const Census& told) override { size_.expect(told); }

  bool wants_survey() const override { return classes_.are_open(); }
  void survey(const Row& row, Census& into) const override { into.labels.add(label_of(row)); }

  void settle(const Census& all) override {
    const auto& found = all.labels.labels();
    const bool are_ids = std::ranges::all_of(found, [](const auto& label) { return label.second; });
    if (are_ids && found.size() != classes_.names().size()) classes_.forget();
    classes_.settle(all.labels, 2, "images", "");
  }

  // By content: equal pictures stay on one side.
  Group group_of(const Row& row, uint64_t seed) const override {
    return {derive_key(seed, row.picture->bytes()), request_.labels_required ? label_of(row).text : ""};
  }

  ShardInfo shard() const override {
    ShardInfo info;
    info.schema.columns = {
        {.name = "pixels", .number = Number::uint8, .shape = {size_.height(), size_.width(), kChannels}},
        {.name = "labels", .number = Number::int64, .bound = std::ssize(classes_.names()), .role = Role::target}};
    if (keeps_places_) info.schema.columns.push_back(place_column());
    info.kind = "image";
    info.task = "image_classification";
    info.label_names = classes_.names();
    return info;
  }

  void describe(PrepareReport& report) const override {
    report.rows_are = concat("images of ", size_.height(), " × ", size_.width());
    report.label_names = classes_.names();
    if (classes_.are_open()) report.warnings = doubts_of_labels(classes_.names());
    if (request_.labels_required) report.label_counts.resize(report.label_names.size());
  }

  void make(std::span<const Row> rows, SampleSink& out) const override {
    Sample sample(shard().schema);
    for (const Row& row : rows) {
      Decoded decoded;
      try {
        decoded = row.picture->decoded();
        decoded.image = size_.fitted(std::move(decoded.image), row);
      } catch (const BadRow& error) {
        out.refuse(error);
        continue;
      }
      const int64_t label = request_.labels_required ? classes_.id_of(row, label_of(row)) : 0;
      out.begin(row);
      sample.cells[kPixels].set(decoded.image.pixels);
      sample.cells[kLabels].set(label);
      if (const std::string place = row.place(); keeps_places_)
        sample.cells[kPlace].set(std::vector<uint8_t>(place.begin(), place.end()));
      out.append(sample);
      if (request_.labels_required) count_label(out.report(), label);
      if (!decoded.was.empty()) count_note(out.report(), concat(decoded.was, " images made RGB"));
    }
  }

 private:
  Label label_of(const Row& row) const {
    Label label;
    read_cell(row, {"label_column", "label"}, [&](const Cell& cell) { read_label(cell, label); });
    return label;
  }

  const PrepareRequest request_;
  const DataConfig& config_;
  ImageColumns columns_;
  bool keeps_places_;
  PictureSize size_;
  ClassNames classes_;
};

}  // namespace

std::unique_ptr<Recipe> image_classification_recipe(const PrepareRequest& request, const DataConfig& config,
                                                    const Tokenizer*) {
  return std::make_unique<ImageClassification>(request, config);
}

}  // namespace sft
