#include "trainer/tasks/object_detection/recipe.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/random.h"
#include "base/text.h"
#include "data/images/letterbox.h"
#include "data/prepare/report.h"
#include "trainer/tasks/object_detection/rows/box_columns.h"
#include "trainer/tasks/object_detection/rows/checked_boxes.h"
#include "trainer/tasks/recipes/picture_notes.h"
#include "trainer/tasks/recipes/picture_size.h"
#include "trainer/tasks/recipes/unseen_classes.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr char kNames[] = "class names";  // a fact of a glance

// The datasets that [data] chooses for HDF5.
ImageColumns image_columns(const DataConfig& config) {
  const bool usual = config.label_column == DataConfig{}.label_column || config.label_column == kBoxes;
  return {config.image_column, usual ? "" : config.label_column};
}

OnBadBox on_bad_box(const DataConfig& config) {
  if (config.on_bad_box == "clip") return OnBadBox::clip;
  return config.on_bad_box == "drop" ? OnBadBox::drop : OnBadBox::refuse;
}

// Numbers mean a model's classes where there are as many.
bool are_known_to(const StringList& names, const LabelCensus& found) {
  const std::set<std::string> distinct(names.begin(), names.end());
  if (names.empty() || distinct.size() != names.size() || !LabelIds(names).cover(found)) return false;
  const auto is_name = [&](const auto& label) { return distinct.contains(label.first); };
  return std::ranges::all_of(found.labels(), is_name) || found.labels().size() == names.size();
}

class ObjectDetection final : public Recipe {
 public:
  ObjectDetection(const PrepareRequest& request, const DataConfig& config)
      : request_(request),
        config_(config),
        columns_(image_columns(config)),
        side_(stored_side(request, config)),
        beside_(padding_colour(config.mean)),
        is_open_(request.labels_required && !request.labels_must_be_known && config.class_names.empty()) {
    if (side_ == 0)
      throw ConfigError(
          "data.image_size: wanted the side, in pixels, of the square that images are fitted into, as 512; "
          "object_detection has no images of their own sizes");
    if (request.labels_must_be_known || !request.labels_required)
      take_names(request.label_names);
    else if (!is_open_)
      set_names(config.class_names);
  }

  std::unique_ptr<Input> open(const StringList& paths) const override {
    return open_boxed_pictures(paths, request_.labels_required, request_.split, columns_);
  }

  std::vector<WantedColumn> wanted_columns() const override {
    return {{"image_column", columns_.pixels}, {"label_column", columns_.labels}};
  }

  json key() const override {
    return {{"columns", {columns_.pixels, columns_.labels}},
            {"notes", request_.keep_notes},
            {"boxes", request_.labels_required},
            {"on_bad_box", config_.on_bad_box},
            {"image_size", side_},
            {"beside", beside_},
            {"interpolation", config_.interpolation},
            {"labels", {is_open_ ? StringList() : names_, request_.label_names}}};
  }

  // The names that stand beside the boxes, of the first picture's file.
  bool wants_glance() const override { return is_open_; }
  bool glance(const Row& row, Census& into) const override {
    into.tell(kNames, json(row.picture->class_names()).dump(-1, ' ', false, json::error_handler_t::replace));
    return true;
  }
  void expect(const Census& told) override {
    if (told.knows(kNames)) set_names(json::parse(told.told(kNames)).get<StringList>());
  }

  // Where no file names them, boxes tell which classes there are.
  bool wants_survey() const override { return is_open_ && names_.empty(); }
  void survey(const Row& row, Census& into) const override {
    for (const RawBox& box : row.picture->boxes().boxes) into.labels.add({box.label, box.is_index});
  }
  void settle(const Census& all) override {
    if (!wants_survey()) return;
    set_names(are_known_to(request_.label_names, all.labels) ? request_.label_names : all.labels.names());
    if (names_.empty()) refuse_without_boxes();
  }

  // By content: equal pictures stay on one side.
  Group group_of(const Row& row, uint64_t seed) const override { return {derive_key(seed, row.picture->bytes())}; }

  ShardInfo shard() const override {
    ShardInfo info;
    info.schema.columns = {{.name = "pixels", .number = Number::uint8, .shape = {side_, side_, kChannels}},
                           view_column(),
                           original_size_column()};
    if (request_.labels_required)
      for (const Column& column : {boxes_column(), box_labels_column(std::ssize(names_)), box_flags_column()})
        info.schema.columns.push_back(column);
    if (request_.keep_notes) info.schema.columns.push_back(place_column());
    info.kind = "image";
    info.task = "object_detection";
    info.label_names = names_;
    return info;
  }

  void describe(PrepareReport& report) const override {
    report.rows_are = concat("images in squares of ", side_, " × ", side_);
    report.label_names = names_;
    report.labels_are_of = "boxes";
    if (request_.labels_required) report.label_counts.resize(names_.size());
  }

  void judge(PrepareReport& report) const override {
    if (!request_.labels_required || request_.labels_must_be_known) return;
    if (std::ranges::all_of(report.label_counts, [](int64_t count) { return count == 0; })) refuse_without_boxes();
    warn_of_unseen_classes(report);
  }

  void make(std::span<const Row> rows, SampleSink& out) const override {
    const Schema schema = shard().schema;
    Sample sample(schema);
    const auto cell = [&](const std::string& column) { return &sample.cells[schema.place(column)]; };
    const LabelIds classes(names_);
    for (const Row& row : rows) {
      Decoded decoded;
      CheckedBoxes boxes;
      std::vector<std::pair<std::string, std::string>> told;
      try {
        decoded = row.picture->decoded();
        if (request_.labels_required)
          boxes =
              checked_boxes(row, decoded, classes, on_bad_box(config_),
                            [&](const std::string& note, const std::string& place) { told.emplace_back(note, place); });
      } catch (const BadRow& error) {
        out.refuse(error);
        continue;
      }
      const Image& image = decoded.image;
      out.begin(row);
      const View view = letterbox_view(image.height, image.width, side_);
      cell(kView)->set(std::vector<float>{view.scale_x, view.scale_y, view.left, view.top});
      cell(kOriginalSizeColumn)
          ->set(std::vector<int32_t>{static_cast<int32_t>(image.height), static_cast<int32_t>(image.width)});
      cell("pixels")->set(letterboxed(image, side_, interpolation_of(config_), beside_).pixels);
      if (request_.labels_required) {
        cell(kBoxes)->set(boxes.boxes);
        cell(kBoxLabels)->set(boxes.labels);
        cell(kBoxFlags)->set(boxes.flags);
      }
      if (const std::string place = row.place(); request_.keep_notes)
        cell(kPlaceColumn)->set(std::vector<uint8_t>(place.begin(), place.end()));
      out.append(sample);
      for (const auto& [note, place] : told) count_note(out.report(), note, place);
      if (request_.labels_required) count_boxes(boxes, out.report());
      if (!decoded.was.empty()) count_note(out.report(), concat(decoded.was, " images made RGB"));
    }
  }

 private:
  [[noreturn]] void refuse_without_boxes() const {
    throw DataError(concat(request_.files.front(), ": there is no box on any image, and none has a class to learn"));
  }

  // Of data or config. A model's own may have some twice, as COCO's 'N/A'.
  void set_names(StringList names) {
    std::set<std::string> seen;
    for (const std::string& name : names)
      if (!seen.insert(name).second)
        throw DataError(concat(request_.files.front(), ": two classes are called ", in_quotes(name),
                               "; give each a name of its own, or name them all in data.class_names"));
    take_names(std::move(names));
  }

  void take_names(StringList names) {
    for (const std::string& name : names)
      if (name.find('\0') != name.npos)
        throw DataError(concat(request_.files.front(), ": the name of a class, ", in_quotes(name),
                               ", holds a NUL character; rename the class"));
    names_ = std::move(names);
  }

  void count_boxes(const CheckedBoxes& boxes, PrepareReport& report) const {
    report.label_counts.resize(names_.size());
    for (size_t i = 0; i < boxes.labels.size(); ++i)
      if ((boxes.flags[i] & kCrowd) == 0) ++report.label_counts[static_cast<size_t>(boxes.labels[i])];
    if (boxes.size() == 0) count_note(report, "images have no box");
    for (const uint8_t flags : boxes.flags) {
      if ((flags & kCrowd) != 0) count_note(report, "boxes are of crowds: not learned, and not scored");
      if ((flags & kDifficult) != 0) count_note(report, "boxes are difficult: learned, and not scored");
    }
  }

  const PrepareRequest request_;
  const DataConfig& config_;
  ImageColumns columns_;
  int64_t side_;
  Colour beside_;
  bool is_open_;      // files or boxes tell which classes there are
  StringList names_;  // of the classes
};

}  // namespace

std::unique_ptr<Recipe> object_detection_recipe(const PrepareRequest& request, const DataConfig& config,
                                                const Tokenizer*) {
  return std::make_unique<ObjectDetection>(request, config);
}

}  // namespace sft
