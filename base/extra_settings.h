// Settings that a section lists among its own without knowing their owners: structs with fields(), one of a type.
//
//   struct DataConfig { …; ExtraSettings extra; … splice(&DataConfig::extra) … };
//   data.extra.of<WindowConfig>();         // from here on its fields are fields of the section
//   data.extra.of<WindowConfig>().stride
#pragma once

#include <any>
#include <string>
#include <utility>
#include <vector>

#include "base/schema.h"

namespace sft {

class ExtraSettings {
 public:
  // The struct of that type; it is added, with its defaults, where it is missing.
  template <class Settings>
  Settings& of() {
    for (One& one : all_)
      if (auto* found = std::any_cast<Settings>(&one.settings)) return *found;
    all_.push_back({Settings{}, [](std::any& settings, const std::string& path) {
                      return bind_fields(std::any_cast<Settings&>(settings), path);
                    }});
    return std::any_cast<Settings&>(all_.back().settings);
  }

  // Its defaults where it is missing.
  template <class Settings>
  const Settings& of() const {
    static const Settings kDefaults = {};
    for (const One& one : all_)
      if (const auto* found = std::any_cast<Settings>(&one.settings)) return *found;
    return kDefaults;
  }

  // Copies the structs whose types are missing here, in their order.
  void add(const ExtraSettings& others) {
    for (const One& other : others.all_) {
      bool is_here = false;
      for (const One& one : all_) is_here = is_here || one.settings.type() == other.settings.type();
      if (!is_here) all_.push_back(other);
    }
  }

  BoundFields bind(const std::string& path) {
    BoundFields bound;
    for (One& one : all_)
      for (BoundField& field : one.bind(one.settings, path)) bound.push_back(std::move(field));
    return bound;
  }

 private:
  struct One {
    std::any settings;
    BoundFields (*bind)(std::any&, const std::string&);
  };
  std::vector<One> all_;
};

// Of a splice.
inline BoundFields bind_fields(ExtraSettings& extra, const std::string& path = "") { return extra.bind(path); }

// Structs of these types, with their defaults.
template <class... Settings>
ExtraSettings extra_settings() {
  ExtraSettings extra;
  (extra.of<Settings>(), ...);
  return extra;
}

}  // namespace sft
