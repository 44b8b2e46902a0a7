// Config structs from TOML files and command lines, and back: what base/schema.h lists is loaded,
// overridden, printed and compared here. An error is one line: place, key, wanted, found.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/schema.h"

namespace sft {

// A key that no field has, told with the nearest name. `name`: without its section.
struct UnknownKey : ConfigError {
  UnknownKey(const std::string& message, std::string unknown) : ConfigError(message), name(std::move(unknown)) {}
  std::string name;
};

// Where the user set a value, "run.toml:12" or "command line", and by which name.
struct Origin {
  std::string place;
  std::string name;
};
using Origins = std::map<std::string, Origin>;  // by dotted key; a key that is absent has its default

// "run.toml:12: " for an error about `key`, "" where the user did not set it.
std::string place_of(const Origins& origins, const std::string& key);

// The values of a TOML file, and of the files it includes (`include = "base.toml"` or a list,
// relative to it), over the defaults in `fields`. The including file wins; tables are merged by key.
// ConfigError: unreadable, not TOML, unknown key (UnknownKey), wrong type, out of range, not built yet, a key
// given by two names, a circle of includes.
void load_file(const BoundFields& fields, const std::string& path, Origins& origins);

// "key.path=value", "--key value", "--key=value", "--flag" (a bool). The section may be left out
// where the rest of the name is unique; a word that is no TOML value is a string.
void apply_overrides(const BoundFields& fields, const std::vector<std::string>& arguments, Origins& origins);

// TOML with each field's meaning as a comment; loads to the same values.
std::string to_toml(const BoundFields& fields);

// Nested objects by section, every field, keys sorted.
nlohmann::json to_json(const BoundFields& fields);

struct Difference {
  std::string key, before, after;  // values as TOML
};
std::vector<Difference> differences(const BoundFields& before, const BoundFields& after);

// Sets fields from to_json's object, as a checkpoint holds it. Keys that are gone are ignored, so
// that an older checkpoint can be compared; `differences` says what changed.
void from_json(const BoundFields& fields, const nlohmann::json& values);

// The same for the config struct itself.
template <class Config>
std::string to_toml(const Config& config)
  requires requires { Config::fields(); }
{
  Config copy = config;
  return to_toml(bind_fields(copy));
}

template <class Config>
nlohmann::json to_json(const Config& config)
  requires requires { Config::fields(); }
{
  Config copy = config;
  return to_json(bind_fields(copy));
}

template <class Config>
std::vector<Difference> differences(const Config& before, const Config& after)
  requires requires { Config::fields(); }
{
  Config left = before, right = after;
  return differences(bind_fields(left), bind_fields(right));
}

}  // namespace sft
