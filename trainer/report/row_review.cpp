#include "trainer/report/row_review.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <functional>

#include "base/text.h"
#include "trainer/report/html.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMostReviewed = 200'000;  // a page is for a look: of more rows the first are read
constexpr size_t kMostMistakes = 15;
constexpr size_t kLengthBins = 6;
constexpr std::array kScoreEdges{0.0, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0};
constexpr char kNoNotes[] =
    "predictions.jsonl has no texts and labels beside its predictions. A run that reads test texts from raw files "
    "writes them; files that were prepared before do not keep them";

struct Outcome {
  int64_t length;
  double score;
  bool right;
};

// None where the prediction is not explained, or by no words.
std::vector<ExplainedWord> words_of(const Json& row) {
  std::vector<ExplainedWord> words;
  if (!row.contains("explanation") || !row["explanation"].contains("words")) return words;
  const Json &names = row["explanation"]["words"], &scores = row["explanation"].at("scores");
  for (size_t i = 0; i < names.size(); ++i) words.push_back({names[i], scores.at(i)});
  return words;
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

RowReview review(const RunRecord& record, std::ifstream& predictions) {
  RowReview out;
  std::vector<Outcome> outcomes;
  for (std::string line; out.rows < kMostReviewed && std::getline(predictions, line); ++out.rows) {
    const Json row = Json::parse(line, nullptr, false);
    if (!row.is_object() || !row.contains("label")) return {};  // another task's
    for (const char* key : {"reference", "text", "characters", "place"})
      if (!row.contains(key)) return {.why_absent = kNoNotes};
    const std::string truth = value_text(row["reference"]), guess = value_text(row["label"]);
    const double score = row.value("score", 0.0);
    outcomes.push_back({row["characters"].get<int64_t>(), score, truth == guess});
    if (truth != guess) keep_surest(out.surest, {row["place"], row["text"], truth, guess, score, words_of(row)});
  }
  const Json accuracy = record.told({"test_metrics", "accuracy"});
  const auto right = static_cast<double>(std::ranges::count(outcomes, true, &Outcome::right));
  if (out.rows == 0) return {};
  if (out.rows < kMostReviewed && accuracy.is_number() &&
      std::abs(right / static_cast<double>(out.rows) - accuracy.get<double>()) > 1e-6)
    return {.why_absent = "predictions.jsonl does not give the accuracy of the run: one of the two was changed"};
  out.by_length = bins_by_length(outcomes);
  out.by_score = bins_by_score(outcomes);
  return out;
}

}  // namespace

RowReview review_rows(const RunRecord& record) {
  if (!record.has_left_predictions()) return {};
  std::ifstream predictions(record.directory + "/predictions.jsonl", std::ios::binary);
  if (!predictions) return {};
  try {
    return review(record, predictions);
  } catch (const std::exception& error) {
    return {.why_absent = error.what()};
  }
}

}  // namespace sft
