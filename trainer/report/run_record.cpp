#include "trainer/report/run_record.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/errors.h"
#include "base/text.h"
#include "base/toml.h"
#include "trainer/config/run_config.h"
#include "trainer/report/run_ending.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Also what a newer program wrote: a key that is not known here is shown with its value.
std::vector<UsedSetting> read_settings(const std::string& path) {
  RunConfig usual;
  const BoundFields fields = bind_fields(usual);
  const nlohmann::json defaults = to_json(fields);
  const auto field_of = [&](const std::string& key) {
    return std::ranges::find_if(fields, [&](const BoundField& field) { return field.key() == key; });
  };
  std::vector<UsedSetting> settings;
  try {
    for (const Setting& setting : read_toml(path, [&](const auto& key) { return field_of(key) == fields.end(); })) {
      UsedSetting used{join(setting.path, "."), toml_text(setting.value), "", ""};
      if (const auto field = field_of(used.key); field != fields.end()) {
        const nlohmann::json& section = field->section.empty() ? defaults : defaults.at(field->section);
        used.usual = toml_text(section.at(std::string(field->info.name)));
        used.help = field->info.help;
      }
      settings.push_back(std::move(used));
    }
  } catch (const Error&) {
  } catch (const nlohmann::json::exception&) {
  }
  return settings;
}

void read_lines(const std::string& path, RunRecord& record) {
  std::ifstream in(path, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    const Json values = Json::parse(line, nullptr, false);
    if (!values.is_object() || !values.contains("step") || !values["step"].is_number()) continue;
    const auto step = values["step"].get<double>();
    record.last_step = std::max(record.last_step, static_cast<int64_t>(step));
    for (const auto& [key, value] : values.items()) {
      if (key == "step" || !value.is_number() || !std::isfinite(value.get<double>())) continue;
      auto curve = std::ranges::find(record.curves, key, &Curve::key);
      if (curve == record.curves.end()) curve = record.curves.insert(curve, Curve{key, {}});
      curve->points.push_back({step, value.get<double>()});
    }
  }
}

Json read_summary(const fs::path& path) {
  if (!fs::is_regular_file(path)) return Json::object();
  Json summary = Json::parse(std::ifstream(path, std::ios::binary), nullptr, false);
  return summary.is_object() ? summary : Json::object();
}

}  // namespace

const Curve* RunRecord::curve(const std::string& key) const {
  const auto found = std::ranges::find(curves, key, &Curve::key);
  return found == curves.end() ? nullptr : &*found;
}

std::string RunRecord::setting(const std::string& key) const {
  const auto found = std::ranges::find(settings, key, &UsedSetting::key);
  return found == settings.end() ? "" : found->value;
}

std::string RunRecord::text_setting(const std::string& key) const {
  const auto value = nlohmann::json::parse(setting(key), nullptr, false);  // TOML's basic strings and lists are JSON
  return value.is_string() ? value.get<std::string>() : setting(key);
}

std::vector<std::string> RunRecord::list_setting(const std::string& key) const {
  const auto value = nlohmann::json::parse(setting(key), nullptr, false);
  if (value.is_string()) return value.get<std::string>().empty() ? StringList{} : StringList{value.get<std::string>()};
  StringList list;
  if (value.is_array())
    for (const auto& entry : value)
      if (entry.is_string()) list.push_back(entry.get<std::string>());
  return list;
}

Json RunRecord::told(const std::vector<std::string>& path) const {
  const Json* at = &summary;
  for (const std::string& part : path) {
    if (!at->is_object() || !at->contains(part)) return nullptr;
    at = &(*at)[part];
  }
  return *at;
}

bool RunRecord::has_left_predictions() const {
  return summary.contains("test_metrics") ? !summary["test_metrics"].is_null() : !summary.contains("before");
}

// Builds of before wrote nothing down of margins.
bool RunRecord::has_left_margins() const {
  return summary.contains("margins") ? summary["margins"] == true : !summary.contains("before");
}

std::string RunRecord::text_told(const std::string& key) const {
  const Json value = told({key});
  return value.is_string() ? value.get<std::string>() : "";
}

RunRecord read_run(const std::string& directory) {
  const fs::path path(directory);
  if (!fs::is_regular_file(path / "config.toml"))
    throw ConfigError(concat(in_quotes(directory, 400), fs::exists(path)
                                                            ? " is no run directory: it holds no config.toml"
                                                            : ": there is no such run directory"));
  RunRecord record;
  record.directory = directory;
  record.name = fs::absolute(path / "").lexically_normal().parent_path().filename().string();
  record.settings = read_settings((path / "config.toml").string());
  record.summary = read_summary(path / "summary.json");
  read_lines((path / "metrics.jsonl").string(), record);
  judge_ending(record);
  return record;
}

std::vector<std::string> runs_at(const std::string& path) {
  if (fs::exists(fs::path(path) / "config.toml") || !fs::is_directory(path)) return {path};
  std::vector<std::string> runs;
  for (const auto& entry : fs::directory_iterator(path))
    if (fs::exists(entry.path() / "config.toml")) runs.push_back(entry.path().string());
  if (runs.empty())
    throw ConfigError(concat(in_quotes(path, 400),
                             " is no run directory: neither it nor a folder right below it holds a config.toml"));
  std::sort(runs.begin(), runs.end());
  return runs;
}

}  // namespace sft
