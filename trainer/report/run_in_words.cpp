#include <algorithm>
#include <filesystem>
#include <iomanip>

#include "base/text.h"
#include "trainer/report/html.h"
#include "trainer/report/report.h"
#include "trainer/report/run_facts.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr size_t kWeakest = 5;
constexpr double kLeastSupport = 10;  // of fewer rows a score says little

void add(std::ostringstream& out, const std::string& name, const std::string& value, const std::string& note = "") {
  out << "  " << std::left << std::setw(19) << escaped(name) << ' ';
  if (note.empty())
    out << escaped(value) << '\n';
  else
    out << std::setw(12) << escaped(value) << ' ' << escaped(note) << '\n';
}

// "web 0.21, …": the classes of lowest F1.
std::string weakest_classes(const RunRecord& record) {
  struct Class {
    std::string name;
    double f1, support;
  };
  std::vector<Class> classes;
  const auto number = [](const nlohmann::ordered_json& scores, const char* name) {
    return scores.is_object() && scores.contains(name) && scores[name].is_number() ? scores[name].get<double>() : -1.0;
  };
  const auto details = details_of(record).values;
  if (!details.is_object() || !details.contains("per_class")) return "";
  for (const auto& [name, scores] : details["per_class"].items())
    if (number(scores, "support") >= kLeastSupport && number(scores, "f1") >= 0)
      classes.push_back({name, number(scores, "f1"), number(scores, "support")});
  if (classes.size() < 3) return "";
  std::ranges::stable_sort(classes, {}, &Class::f1);
  std::vector<std::string> words;
  for (size_t i = 0; i < std::min(kWeakest, classes.size() / 2); ++i)
    words.push_back(concat(classes[i].name, " ", std::fixed, std::setprecision(2), classes[i].f1));
  return join(words, ", ");
}

std::string checkpoints_in(const fs::path& directory) {
  std::vector<std::pair<size_t, std::string>> names;  // by length and name: in order of their steps
  for (const auto& entry : fs::directory_iterator(directory))
    if (const std::string name = entry.path().filename().string(); name.starts_with("checkpoint-"))
      names.emplace_back(name.size(), name);
  std::ranges::sort(names);
  std::vector<std::string> words;
  for (const auto& [size, name] : names) words.push_back(name);
  return join(words, ", ");
}

}  // namespace

std::string run_in_words(const std::string& directory) {
  const RunRecord record = read_run(directory);
  const fs::path path(directory);
  std::ostringstream out;
  out << escaped(concat(record.name, ": ", record.ending)) << '\n';
  for (const Fact& fact : results_of(record)) add(out, fact.name, fact.value, fact.note);
  for (const Fact& fact : circumstances_of(record)) add(out, fact.name, fact.value, fact.note);
  if (const std::string weakest = weakest_classes(record); !weakest.empty()) add(out, "weakest by F1", weakest);
  const auto place = [&](const char* name, const char* file, const char* what) {
    if (fs::exists(path / file)) add(out, name, concat((path / file).string(), "  ", what));
  };
  place("model", "model", "(loads with transformers' from_pretrained)");
  place("report", "report.html", "(open it in a browser: curves, classes, errors, settings)");
  if (record.has_left_predictions()) place("predictions", "predictions.jsonl", "(of the test file, a line a row)");
  place("numbers", "summary.json", "(all of it, for programs)");
  if (const std::string names = checkpoints_in(path); !names.empty()) add(out, "checkpoints", names);
  return out.str();
}

}  // namespace sft
