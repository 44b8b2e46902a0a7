#include "data/prepare/prepare_images.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/log.h"
#include "base/random.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "data/hash/sha256.h"
#include "data/images/resize.h"
#include "data/prepare/folder.h"
#include "data/prepare/labels.h"
#include "data/prepare/pieces.h"
#include "data/prepare/report.h"
#include "data/prepare/split.h"
#include "data/samples/shard_writer.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;  // of what a folder holds
constexpr int64_t kPieces = 64, kLeastImages = 512;

class ImagePreparation {
 public:
  ImagePreparation(const PrepareRequest& request, const DataConfig& config, const Peers& peers)
      : request_(request), config_(config), peers_(peers), labels_(request.label_names) {}

  PrepareReport run() {
    peers_.together([&] { open_sources(); });
    hash_files();
    std::string name;
    peers_.together([&] { name = folder_name(); });
    PreparedFolder folder(request_.output_directory, name, real_files());
    if (auto report = reuse(folder)) return *report;
    find_labels();
    if (splits()) find_split();
    find_size();
    return decode_into(folder);
  }

 private:
  bool is_root() const { return peers_.self.index == 0; }
  bool splits() const { return request_.part != PrepareRequest::Part::all; }
  bool covers() const { return config_.crop != "none"; }
  std::string from_root(const std::string& mine) const { return peers_.gather(mine).front(); }

  void open_sources() {
    for (const std::string& path : request_.files) {
      sources_.push_back(open_image_source(path, request_.labels_required, image_columns(config_)));
      starts_.push_back(size_);
      size_ += sources_.back()->size();
    }
    warn_of_unused_columns();
    if (size_ == 0) throw DataError(concat(join(request_.files, ", "), ": no image for ", request_.split, " in it"));
  }

  void warn_of_unused_columns() const {
    const ImageColumns columns = image_columns(config_);
    const auto is_hdf5 = [](const std::string& path) { return path.ends_with(".h5") || path.ends_with(".hdf5"); };
    if ((columns.pixels.empty() && columns.labels.empty()) || !is_root() ||
        std::ranges::any_of(request_.files, is_hdf5))
      return;
    log::warn_once(concat(columns.pixels.empty() ? "data.label_column" : "data.image_column",
                          " names a dataset of an HDF5 file, and ", join(request_.files, ", "),
                          " has none: it is not looked at"));
  }

  std::pair<const ImageSource*, int64_t> at(int64_t i) const {
    const auto source = static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), i) - starts_.begin()) - 1;
    return {sources_[source].get(), i - starts_[source]};
  }

  // Each rank hashes a run of the files; the whole is the hash of all digests in order.
  void hash_files() {
    std::vector<std::string> files;
    for (size_t s = 0; s < sources_.size(); ++s) {
      for (const std::string& file : sources_[s]->files()) files.push_back(file);
    }
    std::string mine;
    peers_.together([&] {
      const auto [first, end] = range_of(static_cast<int64_t>(files.size()), peers_.self);
      for (int64_t i = first; i < end; ++i) mine += sha256_of_file(files[static_cast<size_t>(i)]) + "\n";
    });
    std::string all;
    for (const std::string& part : peers_.gather(mine)) all += part;
    digest_ = sha256(all);
  }

  std::string folder_name() const {
    json given = json::array();  // labels come from the names of folders, which no file's content tells
    if (request_.labels_required) {
      Label before;
      for (int64_t i = 0; i < size_; ++i) {
        const Label label = label_of(i);
        if (i > 0 && label.text == before.text) continue;
        given.push_back({i, label.text});
        before = label;
      }
    }
    json key = {{"version", kVersion},
                {"task", request_.task},
                {"content", digest_},
                {"given", sha256(given.dump())},
                {"image_size", config_.image_size},
                {"covers", covers()},
                {"columns", {config_.image_column, config_.label_column}},
                {"on_bad_row", config_.on_bad_row},
                {"labels", {request_.label_names, request_.labels_must_be_known, request_.labels_required}}};
    if (splits()) key["split"] = {static_cast<int>(request_.part), config_.validation_split, request_.split_seed};
    return concat(request_.split, "-", sha256(key.dump(-1, ' ', false, json::error_handler_t::replace)).substr(0, 16));
  }

  Label label_of(int64_t i) const {
    const auto [source, place] = at(i);
    return source->label(place);
  }

  std::optional<PrepareReport> reuse(const PreparedFolder& folder) {
    std::string found;
    peers_.together([&] {
      if (!is_root()) return;
      if (const auto report = folder.load()) found = to_json(*report);
    });
    found = from_root(found);
    if (found.empty()) return {};
    PrepareReport report = report_from_json(found);
    report.reused = true;
    return report;
  }

  void find_labels() {
    if (!request_.labels_required || request_.labels_must_be_known) return;
    LabelCensus census;
    peers_.together([&] {
      for (int64_t i = 0; i < size_; ++i) census.add(label_of(i));
      if (census.labels().size() < 2)
        throw DataError(concat(request_.split, ": all images have the same label, ",
                               in_quotes(census.labels().begin()->first), "; two classes at least are wanted"));
    });
    const auto& found = census.labels();
    const bool are_ids = std::all_of(found.begin(), found.end(), [](const auto& label) { return label.second; });
    const bool fits = !are_ids || found.size() == labels_.names().size();
    if (!fits || !labels_.cover(census)) labels_ = LabelIds(census.names());
  }

  // By content: equal images stay on one side.
  void find_split() {
    SplitCensus census;
    const auto [first, end] = range_of(size_, peers_.self);
    keys_.assign(static_cast<size_t>(size_), 0);
    json mine = json::array();
    peers_.together([&, first = first, end = end] {
      for (int64_t i = first; i < end; ++i) {
        const auto [source, place] = at(i);
        mine.push_back(derive_key(request_.split_seed, source->bytes(place)));
      }
    });
    size_t next = 0;
    for (const std::string& part : peers_.gather(mine.dump())) {
      for (const json& key : json::parse(part)) keys_[next++] = key.get<uint64_t>();
    }
    for (int64_t i = 0; i < size_; ++i) census.add(label_of(i).text, keys_[static_cast<size_t>(i)]);
    split_.emplace(census, config_.validation_split);
  }

  bool is_wanted(int64_t i) const {
    if (!split_) return true;
    return split_->is_validation(keys_[static_cast<size_t>(i)]) == (request_.part == PrepareRequest::Part::validation);
  }

  // Without data.image_size all images must be as the first good one.
  void find_size() {
    height_ = width_ = config_.image_size;
    if (config_.image_size > 0) return;
    peers_.together([&] {
      for (int64_t i = 0; i < size_ && height_ == 0; ++i) {
        const auto [source, place] = at(i);
        try {
          const Image image = source->image(place).image;
          height_ = image.height;
          width_ = image.width;
        } catch (const BadRow&) {
          if (config_.on_bad_row == "error") throw;
        }
      }
    });
  }

  Image fitted(Image image, const std::string& place) const {
    if (config_.image_size == 0 && (image.height != height_ || image.width != width_))
      throw BadRow(concat(place, ": is ", image.height, " × ", image.width, ", and the first image is ", height_, " × ",
                          width_, "; set data.image_size to bring all to one size"));
    if (config_.image_size == 0) return image;
    return covers() ? covering(image, config_.image_size) : resized(image, config_.image_size, config_.image_size);
  }

  PrepareReport decode_into(PreparedFolder& folder) {
    std::string partial;
    peers_.together([&] {
      if (is_root()) partial = folder.start();
    });
    partial = from_root(partial);
    const int64_t each = std::max(kLeastImages, (size_ + kPieces - 1) / kPieces);
    json mine = json::array();
    deal((size_ + each - 1) / each, peers_, [&](int64_t piece) {
      mine.push_back({piece, to_json(decode(piece * each, std::min((piece + 1) * each, size_), partial,
                                            std::to_string(100000 + piece).substr(1) + ".h5"))});
    });

    std::map<int64_t, std::string> by_piece;
    for (const std::string& part : peers_.gather(mine.dump())) {
      for (const json& entry : json::parse(part)) by_piece[entry[0]] = entry[1];
    }
    PrepareReport report;
    report.label_names = labels_.names();
    if (request_.labels_required) report.label_counts.resize(report.label_names.size());
    for (const auto& source : sources_)
      if (const std::string note = source->note(); !note.empty()) report.notes[note] = 0;
    for (const auto& [piece, text] : by_piece) append(report, report_from_json(text));
    report.height = height_;
    report.width = width_;
    peers_.together([&] {
      if (report.rows == 0)
        throw DataError(concat(join(request_.files, ", "), ": no image is left for ", request_.split));
      if (is_root()) folder.commit(report);
    });
    for (std::string& name : report.shards) name = concat(folder.path(), "/", name);
    return report;
  }

  PrepareReport decode(int64_t first, int64_t end, const std::string& partial, const std::string& name) const {
    PrepareReport report;
    const ShardInfo info = shard_info();
    Sample sample(info.schema);
    std::optional<ShardWriter> writer;
    for (int64_t i = first; i < end; ++i) {
      leave_if_asked();
      if (!is_wanted(i)) continue;
      const auto [source, place] = at(i);
      try {
        Decoded decoded = source->image(place);
        const Image image = fitted(std::move(decoded.image), source->place(place));
        if (!decoded.was.empty()) ++report.notes[concat(decoded.was, " images made RGB")];
        if (!writer) writer.emplace(concat(partial, "/", name), info, real_files());
        const int64_t label = id_of(*source, place);
        sample.cells[0].set(image.pixels);
        sample.cells[1].set(std::max(label, int64_t{0}));
        sample.row = writer->num_samples();
        writer->append(sample);
        ++report.rows;
        if (label >= 0) {
          report.label_counts.resize(std::max(report.label_counts.size(), static_cast<size_t>(label) + 1));
          ++report.label_counts[static_cast<size_t>(label)];
        }
      } catch (const BadRow& error) {
        if (config_.on_bad_row == "error") throw;
        count_bad_row(report, error.what());
      }
    }
    if (!writer) return report;
    writer->finish();
    report.shards = {name};
    return report;
  }

  int64_t id_of(const ImageSource& source, int64_t place) const {
    if (!request_.labels_required) return -1;
    const Label label = source.label(place);
    const int64_t id = labels_(label);
    if (id < 0)
      throw DataError(
          concat(source.place(place), ": label ", in_quotes(label.text), " ", not_among(label.text, labels_.names())));
    return id;
  }

  ShardInfo shard_info() const {
    ShardInfo info;
    info.schema.columns = {
        {.name = "pixels", .number = Number::uint8, .shape = {height_, width_, kChannels}},
        {.name = "labels", .bound = static_cast<int64_t>(labels_.names().size()), .role = Role::target}};
    info.kind = "image";
    info.task = request_.task;
    info.label_names = labels_.names();
    for (const std::string& path : request_.files) info.sources.emplace_back(path, digest_);
    info.creation_command = request_.creation_command;
    return info;
  }

  const PrepareRequest& request_;
  const DataConfig& config_;
  const Peers& peers_;
  std::vector<std::unique_ptr<ImageSource>> sources_;
  std::vector<int64_t> starts_;  // of each source in the order of all images
  int64_t size_ = 0, height_ = 0, width_ = 0;
  std::string digest_;  // of all files
  LabelIds labels_;
  std::vector<uint64_t> keys_;  // of the images, where there is a split
  std::optional<Split> split_;
};

}  // namespace

ImageColumns image_columns(const DataConfig& config) {
  const bool usual = config.label_column == DataConfig{}.label_column;
  return {config.image_column, usual ? "" : config.label_column};
}

PrepareReport prepare_images(const PrepareRequest& request, const DataConfig& config, const Peers& peers) {
  return ImagePreparation(request, config, peers).run();
}

}  // namespace sft
