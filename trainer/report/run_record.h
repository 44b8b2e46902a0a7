// What a run directory says about its run, whatever of it is there: also of a run in progress, or one that
// was broken off.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace sft {

struct Point {
  double step = 0;
  double value = 0;
};

// One key of metrics.jsonl; lines whose value is no finite number are left out.
struct Curve {
  std::string key;
  std::vector<Point> points;
};

struct UsedSetting {
  std::string key;    // "optim.learning_rate"
  std::string value;  // as TOML
  std::string usual;  // the default, as TOML; "" for a key this program does not know
  std::string help;
};

struct RunRecord {
  enum class State { finished, paused, failed, open };  // open: running, or ended without a word

  std::string directory;
  std::string name;                   // its last part
  std::vector<UsedSetting> settings;  // in the order of config.toml
  std::vector<Curve> curves;          // in the order of first appearance
  nlohmann::ordered_json summary;     // of summary.json; an empty object where there is none
  State state = State::open;
  std::string ending;      // "finished", "loss or gradients not finite (exit code 80)", …
  std::string last_heard;  // "2026-11-25 16:12 UTC": of the newest file that tells
  int64_t last_step = 0;

  const Curve* curve(const std::string& key) const;        // null where there is none
  std::string setting(const std::string& key) const;       // as TOML, "" where there is none
  std::string text_setting(const std::string& key) const;  // without quotes
  std::vector<std::string> list_setting(const std::string& key) const;
  // summary[part][name]… ; null where any of it is missing.
  nlohmann::ordered_json told(const std::vector<std::string>& path) const;
  // Whether predictions.jsonl and margins.jsonl, where they are there, are of the end that the summary tells, and not
  // of one before.
  bool has_left_predictions() const;
  bool has_left_margins() const;
  std::string text_told(const std::string& key) const;  // summary[key]; "" where it is no text
};

// ConfigError where the directory holds no config.toml. Nothing else is an error: what cannot be read is not there.
RunRecord read_run(const std::string& directory);

// The run directory itself, or the runs right below it (a sweep's), sorted by name. ConfigError where there is none.
std::vector<std::string> runs_at(const std::string& path);

}  // namespace sft
