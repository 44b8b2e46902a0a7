#include "trainer/report/model_card.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/text.h"
#include "trainer/report/html.h"
#include "trainer/report/run_facts.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Score {
  std::string name, split;
  double value = 0;
};

// A string in double quotes is the same in JSON and in YAML.
std::string yaml(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

// Of ".../models--org--name/snapshots/…", as the local hub cache has it; "" elsewhere.
std::string hub_id(const std::string& path) {
  constexpr std::string_view kPrefix = "models--";
  for (const fs::path& part : fs::path(path)) {
    const std::string name = part.string();
    if (!name.starts_with(kPrefix)) continue;
    std::string id = name.substr(kPrefix.size());
    if (const size_t cut = id.find("--"); cut != std::string::npos) id.replace(cut, 2, "/");
    return id;
  }
  return "";
}

// The line "license: …" of a model's own card; "" where it has none.
std::string licence_of(const std::string& model) {
  std::ifstream card(fs::path(model) / "README.md");
  std::string line;
  if (!std::getline(card, line) || line.find_first_not_of("- \r") != std::string::npos) return "";
  while (std::getline(card, line) && !line.starts_with("---"))
    if (line.starts_with("license:")) {
      const size_t first = line.find_first_not_of(" \"'", 8), last = line.find_last_not_of(" \"'\r");
      return first == std::string::npos || last < first ? "" : line.substr(first, last - first + 1);
    }
  return "";
}

// Of these weights alone: a run that changes its model at the end has evaluated its checkpoints without that change.
std::vector<Score> scores_of(const RunRecord& record, const CardFacts& facts) {
  std::vector<Score> scores;
  const auto add = [&](const Json& metrics, const char* split) {
    if (!metrics.is_object()) return;
    for (const auto& [name, value] : metrics.items())
      if (value.is_number() && name != "samples" && name != "seconds" && name != "step")
        scores.push_back({name, split, value.get<double>()});
  };
  const Json after = record.told({"decisions", "after"});
  const bool changes = after.is_object() || record.text_setting("train.logit_adjustment_at") == "export";
  if (facts.is_final && after.is_object()) {
    add(after, "validation");
  } else if (!facts.is_final || !changes) {
    for (const Curve& curve : record.curves)
      if (curve.key.starts_with("eval_") && curve.key != "eval_runtime" && curve.key != "eval_samples_per_second")
        for (const Point& point : curve.points)
          if (static_cast<int64_t>(point.step) == facts.step)
            scores.push_back({curve.key.substr(5), "validation", point.value});
  }
  if (record.told({"exported_step"}) == facts.step && (facts.is_final || !changes))
    add(record.told({"test_metrics"}), "test");
  return scores;
}

std::string model_index(const std::string& name, const std::string& tag, const std::vector<Score>& scores,
                        const MetricWords& words) {
  if (scores.empty() || tag.empty()) return "";
  std::string text = concat("model-index:\n- name: ", yaml(name), "\n  results:\n");
  for (const char* split : {"validation", "test"}) {
    std::string rows;
    for (const Score& score : scores)
      if (score.split == split)
        rows += concat("    - type: ", yaml(score.name), "\n      name: ", yaml(metric_name(score.name, words)),
                       "\n      value: ", Json(score.value).dump(), "\n");
    if (!rows.empty())
      text += concat("  - task:\n      type: ", yaml(tag), "\n    dataset:\n      type: ", yaml(split),
                     "\n      name: ", yaml(concat(split, " rows")), "\n      split: ", yaml(split), "\n    metrics:\n",
                     rows);
  }
  return text;
}

std::string in_cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return escaped(text);
}

std::string data_table(const RunRecord& record) {
  const Json data = record.told({"data"});
  if (!data.is_object()) return "";
  std::string text = "## Data\n\n| split | rows |\n|---|---:|\n";
  for (const char* split : {"train", "validation", "test"})
    if (data.contains(split) && data[split].is_number()) text += concat("| ", split, " | ", data[split].dump(), " |\n");
  if (!data.contains("labels") || !data["labels"].is_object()) return text + "\n";
  text += "\n| label | in the training rows |\n|---|---:|\n";
  for (const auto& [label, count] : data["labels"].items())
    text += concat("| ", in_cell(label), " | ", count.dump(), " |\n");
  return text + "\n";
}

std::string metrics_table(const std::vector<Score>& scores, const MetricWords& words) {
  if (scores.empty()) return "";
  std::string text = "## Metrics\n\n| metric | rows | value |\n|---|---|---:|\n";
  for (const Score& score : scores)
    if (!words.repeats(score.name))
      text += concat("| ", in_cell(metric_name(score.name, words)), " | ", score.split, " | ",
                     number_text(score.value), " |\n");
  return text + "\n";
}

// A path of this machine says little elsewhere, and much of its owner: its last part, or the id in the hub's cache.
std::string without_folders(const std::string& path) {
  if (!path.starts_with('/')) return path;
  const fs::path whole = fs::path(path).lexically_normal();
  const std::string id = hub_id(path);
  return !id.empty() ? id : (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

// A TOML value, the strings in which may be paths of this machine.
std::string without_folders_inside(const std::string& value) {
  std::string text;
  for (size_t at = 0; at < value.size();) {
    size_t end = value[at] == '"' ? at + 1 : value.size();
    while (end < value.size() && value[end] != '"') end += value[end] == '\\' ? 2u : 1u;
    if (end >= value.size()) {
      text += value[at++];
      continue;
    }
    text += concat("\"", without_folders(value.substr(at + 1, end - at - 1)), "\"");
    at = end + 1;
  }
  return text;
}

std::string settings_block(const RunRecord& record) {
  std::string text;
  for (const UsedSetting& setting : record.settings)
    if (setting.value != setting.usual && !setting.key.starts_with("hooks."))  // a command may hold a secret
      text += concat(setting.key, " = ", without_folders_inside(setting.value), "\n");
  return text.empty() ? ""
                      : concat("## Settings\n\nThose that are not the usual ones:\n\n````toml\n", text, "````\n\n");
}

}  // namespace

std::string model_card(const RunRecord& record, const CardFacts& facts) {
  const std::vector<Score> scores = scores_of(record, facts);
  const MetricWords words = words_of(record);
  const std::string base = hub_id(facts.model_path), licence = licence_of(facts.model_path);
  std::string text = concat("---\nlibrary_name: ", facts.library, "\n");
  if (!facts.pipeline_tag.empty()) text += concat("pipeline_tag: ", facts.pipeline_tag, "\n");
  if (!licence.empty()) text += concat("license: ", yaml(licence), "\n");
  if (!base.empty()) text += concat("base_model: ", yaml(base), "\n");
  text += "tags:\n- sft-dist\n";
  text += model_index(record.name, facts.pipeline_tag, scores, words);
  text += concat("---\n\n# ", escaped(record.name), "\n\n`",
                 escaped(without_folders(record.text_setting("model.model_name_or_path"))), "` fine-tuned for ",
                 spoken(record.text_setting("model.task")), " with sft-dist; the weights are those of step ",
                 facts.step, ".\n\n");
  return text + data_table(record) + metrics_table(scores, words) + settings_block(record) +
         "## What is not known\n\nLanguages, intended use and limits are not told by the files of a run; they are "
         "yours to fill in.\n";
}

}  // namespace sft
