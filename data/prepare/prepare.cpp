// The story of a preparation: name the result by its content, reuse it where it is there, else cut the input into
// pieces, look at the rows as the recipe wants, make a shard of every piece and give the folder its name.
#include "data/prepare/prepare.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/progress.h"
#include "base/shown_work.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "data/hash/sha256.h"
#include "data/native/decompressed.h"
#include "data/prepare/digests.h"
#include "data/prepare/folder.h"
#include "data/prepare/make_shard.h"
#include "data/prepare/recipe.h"
#include "data/prepare/report.h"
#include "data/prepare/rounds.h"

namespace sft {
namespace {

using nlohmann::json;
using Side = PrepareRequest::Side;

// Of what a folder holds; another one makes old folders be prepared anew.
constexpr int kVersion = 8;

// What tells the format: ".csv", ".csv.gz".
std::string ending_of(const std::string& path) {
  return path.substr(std::min(uncompressed_name(path).rfind('.'), path.size()));
}

class Preparation {
 public:
  Preparation(const PrepareRequest& request, const DataConfig& config, Recipe& recipe, const Peers& peers)
      : request_(request), config_(config), recipe_(recipe), peers_(peers) {}

  PrepareReport run() {
    open();
    peers_.together([&] { files_ = input_->files(); });
    digests_ = digests_of(files_, peers_);
    PreparedFolder folder(request_.output_directory, folder_name(), real_files());
    if (auto report = reuse(folder)) return *report;

    num_pieces_ = input_->cut(peers_);
    glance();
    survey();
    return make_into(folder);
  }

 private:
  bool is_root() const { return peers_.self.index == 0; }

  void open() {
    peers_.together([&] {
      input_ = recipe_.open(request_.files);
      if (is_root()) input_->require(recipe_.wanted_columns());
    });
  }

  ShownWork work(const char* done) const {
    const auto [index, count] = peers_.self;
    return {concat(request_.split, ": ", done), "pieces", num_pieces_, (num_pieces_ - index + count - 1) / count};
  }

  // The split and a key of everything that the shards follow from.
  std::string folder_name() const {
    json files = json::array();
    for (size_t i = 0; i < digests_.size(); ++i) files.push_back({digests_[i], ending_of(request_.files[i])});
    std::string told;
    peers_.together([&] { told = input_->told_by_names(files_); });
    json key = {{"version", kVersion},   {"task", request_.task},   {"files", files},
                {"names", sha256(told)}, {"recipe", recipe_.key()}, {"on_bad_row", config_.on_bad_row}};
    if (request_.splits())
      key["split"] = {static_cast<int>(request_.side), config_.validation_split, request_.split_seed};
    if (request_.splits() && !config_.fold.empty()) key["fold"] = config_.fold;
    if (request_.splits() && !config_.group_column.empty()) key["unnamed_groups"] = "by content";
    if (config_.quoting != DataConfig{}.quoting) key["quoting"] = config_.quoting;
    return concat(request_.split, "-", sha256(key.dump(-1, ' ', false, json::error_handler_t::replace)).substr(0, 16));
  }

  std::optional<PrepareReport> reuse(const PreparedFolder& folder) {
    const std::string found = from_root(peers_, [&] {
      const auto report = folder.load();
      return report ? to_json(*report) : "";
    });
    if (found.empty()) return {};
    PrepareReport report = report_from_json(found);
    report.reused = true;
    return report;
  }

  // Calls visit(row) on the rows of a piece until it returns false. A malformed row, or one at which `visit` throws
  // BadRow, is handed to on_bad_row(error).
  template <class Visit, class OnBadRow>
  void for_each_row(int64_t piece, const Visit& visit, const OnBadRow& on_bad_row) const {
    const auto reader = input_->open(piece);
    Row row;
    while (true) {
      leave_if_asked();
      try {
        if (!reader->next(row) || !visit(row)) return;
      } catch (const BadRow& error) {
        on_bad_row(error);
      }
    }
  }

  // A census of all ranks' rows, from that of each.
  Census merged(const Census& mine) const {
    Census all;
    for (const std::string& part : peers_.gather(mine.to_json())) all.merge(Census::from_json(part));
    return all;
  }

  void glance() {
    if (!recipe_.wants_glance()) return;
    Census census;
    in_rounds(num_pieces_, peers_, [&](int64_t piece) {
      census.begin(piece);
      for_each_row(
          piece, [&](const Row& row) { return !recipe_.glance(row, census); }, [](const BadRow&) {});
    });
    census = merged(census);
    peers_.together([&] { recipe_.expect(census); });
  }

  // Nothing is kept of the rows themselves.
  void survey() {
    if (!recipe_.wants_survey() && !request_.splits()) return;
    Census census;
    ShownWork surveyed = work("read");
    in_rounds(num_pieces_, peers_, [&](int64_t piece) {
      census.begin(piece);
      for_each_row(
          piece,
          [&](const Row& row) {
            if (recipe_.wants_survey()) recipe_.survey(row, census);
            if (request_.splits()) add_group(row, census);
            ++census.num_rows;
            return true;
          },
          [&](const BadRow& error) {
            if (config_.on_bad_row == "error") throw error;
          });
      surveyed.add(1);
    });
    census = merged(census);
    num_ungrouped_ = census.num_ungrouped;
    if (request_.splits())
      split_ = config_.fold.empty() ? Split(census.groups, config_.validation_split) : Split(fold_from(config_.fold));
    peers_.together([&] {
      if (census.num_rows == 0) fail_without_rows();
      if (recipe_.wants_survey()) recipe_.settle(census);
    });
  }

  void add_group(const Row& row, Census& into) const {
    const Group group = recipe_.group_of(row, request_.split_seed);
    into.groups.add(group.stratum, group.key);
    if (group.is_unnamed) ++into.num_ungrouped;
  }

  PrepareReport make_into(PreparedFolder& folder) {
    const std::string partial = from_root(peers_, [&] { return folder.start(); });
    ShardInfo shard = recipe_.shard();
    for (size_t i = 0; i < digests_.size(); ++i) shard.sources.emplace_back(request_.files[i], digests_[i]);
    shard.creation_command = request_.creation_command;
    const Making making{request_, config_, recipe_, shard, split_};
    ShownWork made = work("prepared");
    const auto parts = gather_in_rounds(num_pieces_, peers_, [&](int64_t piece) {
      const std::string name = std::to_string(100000 + piece).substr(1) + ".h5";
      json report = to_json(make_shard(making, *input_->open(piece), partial, name));
      made.add(1);
      return report;
    });

    PrepareReport report;
    recipe_.describe(report);
    for (const std::string& note : input_->notes()) report.notes[note] = {};
    for (const auto& [piece, part] : parts) append(report, report_from_json(part));
    peers_.together([&] {
      if (report.num_rows == 0) fail_without_rows();
      if (report.num_samples == 0)
        throw DataError(concat(join(request_.files, ", "), ": ", human_count(static_cast<double>(report.num_rows)), " ",
                               report.rows_are, ", and none gives a sample for ", request_.split, first_notes(report)));
      recipe_.judge(report);
      warn_of_joined_lines(report);
      warn_of_ungrouped(report);
      if (is_root()) folder.commit(report);
    });
    for (std::string& name : report.shards) name = concat(folder.path(), "/", name);
    return report;
  }

  // Of all rows that are split, those of the other side too.
  void warn_of_ungrouped(PrepareReport& report) const {
    if (num_ungrouped_ > 0)
      report.warnings.push_back(concat(
          human_count(static_cast<double>(num_ungrouped_)), num_ungrouped_ == 1 ? " row names" : " rows name",
          " no group (data.group_column = ", in_quotes(config_.group_column), " is null or empty): each stays with ",
          "rows of its own content alone, as without that column"));
  }

  // Why rows were left out.
  static std::string first_notes(const PrepareReport& report) {
    std::string out;
    for (const auto& [what, note] : report.notes)
      if (note.num_rows > 0)
        out += concat("\n  ", note.num_rows, " ", what, note.first.empty() ? "" : ". The first: ", note.first);
    for (const std::string& example : report.bad_row_examples) out += "\n  left out: " + example;
    return out;
  }

  [[noreturn]] void fail_without_rows() const {
    const std::string files = join(request_.files, ", ");
    if (request_.side == Side::validation)
      throw DataError(concat(files,
                             config_.fold.empty() ? concat(": data.validation_split = ", config_.validation_split)
                                                  : concat(": data.fold = ", in_quotes(config_.fold)),
                             " leaves no ", input_->noun(), " for validation"));
    throw DataError(concat(files, ": no ", input_->noun(), " for ", request_.split, " in it"));
  }

  const PrepareRequest& request_;
  const DataConfig& config_;
  Recipe& recipe_;
  const Peers& peers_;
  std::unique_ptr<Input> input_;
  std::vector<StringList> files_;  // by the request's files
  StringList digests_;             // of the request's files, in their order
  int64_t num_pieces_ = 0;
  std::optional<Split> split_;
  int64_t num_ungrouped_ = 0;
};

}  // namespace

PrepareReport prepare_shards(const PrepareRequest& request, const DataConfig& config, Recipe& recipe,
                             const Peers& peers) {
  const TimedPhase phase("prepare");
  return Preparation(request, config, recipe, peers).run();
}

}  // namespace sft
