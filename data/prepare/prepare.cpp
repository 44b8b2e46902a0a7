// The story of a preparation: name the result by its content, reuse it where it is there, else cut
// the input into pieces, find the labels, tokenize every piece into a shard and give the folder its name.
#include "data/prepare/prepare.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/hash/sha256.h"
#include "data/prepare/find_target.h"
#include "data/prepare/folder.h"
#include "data/prepare/report.h"
#include "data/prepare/target_column.h"
#include "data/prepare/tokenize.h"
#include "data/readers/target_form.h"

namespace sft {
namespace {

using nlohmann::json;

// Of what a folder holds; another one makes old folders be prepared anew.
constexpr int kVersion = 2;

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// What the root has, on every rank.
std::string from_root(const Peers& peers, const std::string& mine) { return peers.gather(mine).front(); }

class Preparation {
 public:
  Preparation(const PrepareRequest& request, const DataConfig& config, const Tokenizer& tokenizer, const Peers& peers)
      : request_(request),
        config_(config),
        tokenizer_(tokenizer),
        peers_(peers),
        columns_(request, config),
        labels_(request.label_names) {}

  PrepareReport run() {
    hash_files();
    PreparedFolder folder(request_.output_directory, folder_name(), real_files());
    if (auto report = reuse(folder)) return *report;

    require_columns();
    pieces_ = cut_into_pieces(request_.files, peers_);
    settle_target();
    find_labels();
    return tokenize_into(folder);
  }

 private:
  bool is_root() const { return peers_.self.index == 0; }
  bool splits() const { return request_.part != PrepareRequest::Part::all; }

  void hash_files() {
    json mine = json::array();
    const auto count = static_cast<int64_t>(request_.files.size());
    deal(count, peers_, [&](int64_t i) {
      mine.push_back({i, sha256_of_file(request_.files[static_cast<size_t>(i)])});
    });
    digests_.resize(request_.files.size());
    for (const std::string& part : peers_.gather(mine.dump())) {
      for (const json& entry : json::parse(part)) digests_[entry[0].get<size_t>()] = entry[1];
    }
  }

  // The split and a key of everything that the shards follow from.
  std::string folder_name() const {
    json files = json::array();
    for (size_t i = 0; i < digests_.size(); ++i) {
      const std::string& path = request_.files[i];
      files.push_back({digests_[i], path.substr(std::min(path.rfind('.'), path.size()))});
    }
    json key = {
        {"version", kVersion},
        {"task", request_.task},
        {"files", files},
        {"columns", {config_.text_column, config_.text_pair_column, config_.label_column, config_.weight_column}},
        {"target", {request_.target ? name_of(*request_.target) : "", request_.num_targets, config_.label_separator}},
        {"max_length", config_.max_length},
        {"truncation", config_.truncation},
        {"on_bad_row", config_.on_bad_row},
        {"tokenizer", tokenizer_.sha256()},
        {"labels", {request_.label_names, request_.labels_must_be_known, request_.labels_required}}};
    if (request_.target == TargetForm::token_labels) key["all_tokens"] = labels_all_tokens();
    if (splits()) {
      key["split"] = {static_cast<int>(request_.part), config_.validation_split, config_.group_column,
                      request_.split_seed};
    }
    return concat(request_.split, "-", sha256(text_of(key)).substr(0, 16));
  }

  std::optional<PrepareReport> reuse(const PreparedFolder& folder) {
    std::string found;
    peers_.together([&] {
      if (!is_root()) return;
      if (const auto report = folder.load()) found = to_json(*report);
    });
    found = from_root(peers_, found);
    if (found.empty()) return {};
    PrepareReport report = report_from_json(found);
    report.reused = true;
    return report;
  }

  // Scores are of words, so only training looks at more than their first tokens.
  bool labels_all_tokens() const { return config_.label_all_tokens && request_.split == "train"; }

  // What is known of the targets before their labels are.
  void settle_target() {
    if (request_.target) target_ = {*request_.target, request_.num_targets};
    const bool wants_width = target_.form == TargetForm::values && target_.width == 0;
    if (request_.labels_required && (!request_.target || wants_width))
      target_ = find_target(request_, config_, pieces_, peers_);
    columns_.expect(target_.form, target_.width);
  }

  bool has_names() const { return target_.form != TargetForm::values && request_.labels_required; }

  void require_columns() {
    peers_.together([&] {
      if (!is_root()) return;
      for (const std::string& path : request_.files) columns_.require_in(path);
    });
  }

  // Reads all rows once, for what must be known of them before the first is written: which labels there are, and
  // which rows the split holds out. Nothing is kept of the rows themselves.
  void find_labels() {
    const bool from_data = has_names() && !request_.labels_must_be_known;
    if (from_data || splits()) take_census();
    if (splits()) split_.emplace(split_census_, config_.validation_split);
    if (!from_data) return;
    peers_.together([&] {
      const auto& labels = census_.labels();
      if (labels.empty() && !census_has_rows_) fail_without_rows();
      if (labels.empty()) {
        throw DataError(
            concat(request_.split, ": no row has a label (data.label_column = ", in_quotes(config_.label_column), ")"));
      }
      if (labels.size() == 1 && target_.form != TargetForm::label_set) {
        throw DataError(
            concat(request_.split, ": all rows have the same label, ", in_quotes(labels.begin()->first),
                   "; two classes at least are wanted (data.label_column = ", in_quotes(config_.label_column), ")"));
      }
    });
    if (!labels_.cover(census_)) labels_ = LabelIds(census_.names());
  }

  void take_census() {
    deal(static_cast<int64_t>(pieces_.size()), peers_, [&](int64_t i) {
      for_each_sample(
          pieces_[static_cast<size_t>(i)], request_.files, columns_,
          [&](const TextRow& sample, const std::string&) {
            census_has_rows_ = true;
            for (const Label& label : sample.labels) census_.add(label);
            // Sets and numbers give no strata: nearly every row would be one of its own.
            const bool strata = target_.form == TargetForm::label && request_.labels_required;
            if (splits()) split_census_.add(strata ? sample.labels.front().text : "", sample.key);
          },
          [&](const BadRow& error) {
            if (config_.on_bad_row == "error") throw error;
          });
    });
    const json mine = {{"rows", census_has_rows_}, {"labels", census_.labels()}, {"keys", split_census_.keys()}};
    for (const std::string& part : peers_.gather(mine.dump())) {
      const json in = json::parse(part);
      census_has_rows_ = census_has_rows_ || in["rows"].get<bool>();
      census_.merge(LabelCensus::of(in["labels"]));
      split_census_.merge(in["keys"]);
    }
  }

  PrepareReport tokenize_into(PreparedFolder& folder) {
    std::string partial;
    peers_.together([&] {
      if (is_root()) partial = folder.start();
    });
    partial = from_root(peers_, partial);

    const ShardInfo shard = shard_info();
    const TokenTargets targets =
        labels_all_tokens() ? TokenTargets::of_all_tokens(labels_.names()) : TokenTargets::of_first_tokens();
    const Tokenizing job{request_, config_, tokenizer_, columns_, labels_, targets, split_, shard};
    json mine = json::array();
    deal(static_cast<int64_t>(pieces_.size()), peers_, [&](int64_t i) {
      const std::string number = std::to_string(100000 + i).substr(1);
      const PrepareReport part = tokenize(job, pieces_[static_cast<size_t>(i)], partial, number + ".h5");
      mine.push_back({i, to_json(part)});
    });

    PrepareReport report = merged(peers_.gather(mine.dump()));
    peers_.together([&] {
      if (report.rows == 0) fail_without_rows();
      if (is_root()) folder.commit(report);
    });
    for (std::string& name : report.shards) name = concat(folder.path(), "/", name);
    return report;
  }

  PrepareReport merged(const std::vector<std::string>& parts) const {
    std::map<int64_t, std::string> by_piece;
    for (const std::string& part : parts) {
      for (const json& entry : json::parse(part)) by_piece[entry[0]] = entry[1];
    }
    PrepareReport report;
    report.target = target_.form;
    report.num_targets = target_.form == TargetForm::values ? target_.width : 0;
    if (target_.form != TargetForm::values) report.label_names = labels_.names();
    if (has_names()) report.label_counts.resize(report.label_names.size());
    for (const auto& [piece, text] : by_piece) append(report, report_from_json(text));
    return report;
  }

  ShardInfo shard_info() const {
    const bool pairs = !config_.text_pair_column.empty();
    const Encoding probe = pairs ? tokenizer_.encode_pair("a", "b") : tokenizer_.encode("a");
    ShardInfo info;
    info.kind = pairs ? "text_pair" : "text";
    info.task = request_.task;
    info.max_length = config_.max_length;
    info.tokenizer_sha256 = tokenizer_.sha256();
    const bool names = target_.form != TargetForm::values;
    if (names) info.label_names = labels_.names();
    const auto count = names ? static_cast<int64_t>(labels_.names().size()) : target_.width;
    info.schema.units = {"token"};
    info.schema.columns = {
        {.name = "tokens", .number = Number::int32, .axis = "token", .bound = tokenizer_.vocab_size()},
        target_column(target_.form, count)};
    if (std::ranges::any_of(probe.segments, [](uint8_t id) { return id != 0; }))
      info.schema.columns.push_back({.name = "segments", .number = Number::uint8, .axis = "token"});
    for (size_t i = 0; i < digests_.size(); ++i) info.sources.emplace_back(request_.files[i], digests_[i]);
    info.creation_command = request_.creation_command;
    info.has_weights = !config_.weight_column.empty();
    return info;
  }

  [[noreturn]] void fail_without_rows() const {
    const std::string files = join(request_.files, ", ");
    if (request_.part == PrepareRequest::Part::validation) {
      throw DataError(
          concat(files, ": data.validation_split = ", config_.validation_split, " leaves no row for validation"));
    }
    throw DataError(concat(files, ": no row for ", request_.split, " in it"));
  }

  const PrepareRequest& request_;
  const DataConfig& config_;
  const Tokenizer& tokenizer_;
  const Peers& peers_;
  Columns columns_;
  Target target_;
  bool census_has_rows_ = false;
  std::vector<std::string> digests_;  // of the files, in their order
  std::vector<Piece> pieces_;
  LabelCensus census_;
  SplitCensus split_census_;
  std::optional<Split> split_;
  LabelIds labels_;
};

}  // namespace

PrepareReport prepare(const PrepareRequest& request, const DataConfig& config, const Tokenizer& tokenizer,
                      const Peers& peers) {
  return Preparation(request, config, tokenizer, peers).run();
}

}  // namespace sft
