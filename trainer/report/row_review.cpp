#include "trainer/report/row_review.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <functional>
#include <memory>

#include "base/errors.h"
#include "base/text.h"
#include "data/readers/input_files.h"
#include "data/readers/reader.h"
#include "trainer/report/html.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMostRows = 200'000;  // a page is for a look: of more rows the first are read
constexpr size_t kMostMistakes = 15;
constexpr size_t kLengthBins = 6;
constexpr std::array kScoreEdges{0.0, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0};

struct Outcome {
  int64_t length;
  double score;
  bool right;
};

// The rows of all files, one after the other, without the malformed ones, which on_bad_row = "skip" left out too.
class TestRows {
 public:
  explicit TestRows(StringList files) : files_(std::move(files)) {}

  bool next(Row& row) {
    while (at_ < files_.size()) {
      if (!reader_) reader_ = open_reader(files_[at_]);
      try {
        if (reader_->next(row)) return true;
        reader_.reset();
        ++at_;
      } catch (const BadRow&) {
      }
    }
    return false;
  }
  const std::string& file() const { return files_[at_]; }

 private:
  StringList files_;
  size_t at_ = 0;
  std::unique_ptr<Reader> reader_;
};

std::string text_of(const Row& row, const StringList& columns) {
  StringList parts;
  for (const std::string& column : columns)
    if (const Cell* cell = row.find(column)) parts.push_back(cell->text);
  return join(parts, " ");
}

int64_t characters_of(std::string_view text) {
  return std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

// A label that is a number is an id, unless a class is called so.
std::string label_name(const std::string& cell, const StringList& names) {
  if (std::ranges::find(names, cell) != names.end()) return cell;
  const bool is_id = !cell.empty() && cell.size() < 10 && std::ranges::all_of(cell, ::isdigit);
  const size_t id = is_id ? std::stoul(cell) : names.size();
  return id < names.size() ? names[id] : cell;
}

void keep_surest(std::vector<Mistake>& mistakes, Mistake mistake) {
  const auto place = std::ranges::upper_bound(mistakes, mistake.score, std::greater{}, &Mistake::score);
  if (place == mistakes.end() && mistakes.size() >= kMostMistakes) return;
  mistakes.insert(place, std::move(mistake));
  if (mistakes.size() > kMostMistakes) mistakes.pop_back();
}

// About equally many rows a bin; rows of one length are never apart.
std::vector<Bin> bins_by_length(std::vector<Outcome> outcomes) {
  std::ranges::sort(outcomes, {}, &Outcome::length);
  std::vector<Bin> bins;
  for (size_t begin = 0; begin < outcomes.size();) {
    size_t end = std::max(begin + 1, (bins.size() + 1) * outcomes.size() / kLengthBins);
    while (end < outcomes.size() && outcomes[end].length == outcomes[end - 1].length) ++end;
    const int64_t least = outcomes[begin].length, most = outcomes[end - 1].length;
    Bin bin{least == most ? std::to_string(least) : concat(least, "–", most), static_cast<int64_t>(end - begin), 0};
    for (; begin < end; ++begin) bin.right += outcomes[begin].right;
    bins.push_back(std::move(bin));
  }
  return bins;
}

std::vector<Bin> bins_by_score(const std::vector<Outcome>& outcomes) {
  std::vector<Bin> bins;
  for (size_t i = 0; i + 1 < kScoreEdges.size(); ++i) bins.push_back({concat(kScoreEdges[i], "–", kScoreEdges[i + 1])});
  for (const Outcome& outcome : outcomes) {
    const auto edge = std::upper_bound(kScoreEdges.begin() + 1, kScoreEdges.end() - 1, outcome.score);
    Bin& bin = bins[static_cast<size_t>(edge - kScoreEdges.begin() - 1)];
    ++bin.rows;
    bin.right += outcome.right;
  }
  std::erase_if(bins, [](const Bin& bin) { return bin.rows == 0; });
  return bins;
}

StringList class_names(const RunRecord& record) {
  StringList names;
  for (const Json& name : record.told({"test_metrics", "details", "labels"}))
    names.push_back(name.is_string() ? name.get<std::string>() : "");
  return names;
}

RowReview review(const RunRecord& record, std::ifstream& predictions) {
  const StringList columns = record.list_setting("data.text_column"), names = class_names(record);
  const StringList pair_column = record.list_setting("data.text_pair_column");
  const std::string label_column = record.text_setting("data.label_column");
  TestRows rows(expand_files(record.list_setting("data.test_file"), "data.test_file", {}));
  RowReview out;
  std::vector<Outcome> outcomes;
  Row row;
  for (std::string line; out.rows < kMostRows && std::getline(predictions, line); ++out.rows) {
    const Json prediction = Json::parse(line, nullptr, false);
    if (!prediction.is_object() || !prediction.contains("label")) return {};  // another task's
    if (!rows.next(row)) return {.why_absent = "predictions.jsonl has more rows than the test file has now"};
    const Cell* label = row.find(label_column);
    if (label == nullptr) return {.why_absent = "the test file has rows without a label"};
    const std::string text = text_of(row, columns), guess = value_text(prediction["label"]);
    const std::string truth = label_name(label->text, names);
    const double score = prediction.value("score", 0.0);
    outcomes.push_back({characters_of(text) + characters_of(text_of(row, pair_column)), score, truth == guess});
    if (truth != guess) keep_surest(out.surest, {row.line, rows.file(), text, truth, guess, score});
  }
  const Json accuracy = record.told({"test_metrics", "accuracy"});
  const auto right = static_cast<double>(std::ranges::count(outcomes, true, &Outcome::right));
  if (out.rows == 0) return {};
  if (out.rows < kMostRows && accuracy.is_number() &&
      std::abs(right / static_cast<double>(out.rows) - accuracy.get<double>()) > 1e-6)
    return {.why_absent = "predictions.jsonl and the test file do not give the accuracy of the run: one was changed"};
  out.by_length = bins_by_length(outcomes);
  out.by_score = bins_by_score(outcomes);
  return out;
}

}  // namespace

RowReview review_rows(const RunRecord& record) {
  std::ifstream predictions(record.directory + "/predictions.jsonl", std::ios::binary);
  if (!predictions || record.list_setting("data.test_file").empty()) return {};
  try {
    return review(record, predictions);
  } catch (const std::exception& error) {
    return {.why_absent = error.what()};
  }
}

}  // namespace sft
