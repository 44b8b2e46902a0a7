#include "base/toml.h"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "base/utf8.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr int kMostKeyParts = 64;

std::string line_of(const std::string& file, const toml::source_region& region) {
  return concat(file, ":", region.begin.line);
}

// The line of a key of more parts than any tree of settings is deep, 0 where there is none. The parser makes a table of
// each part, and tables inside tables are walked by functions that call themselves, down to the end of the stack.
int64_t line_of_deep_key(std::string_view text) {
  int64_t line = 1;
  int dots = 0;
  char quote = 0;  // 0 outside of strings
  bool in_comment = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      ++line;
      in_comment = false;
    }
    if (in_comment) continue;
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = 0;
      continue;
    }
    if (c == '"' || c == '\'') quote = c;
    in_comment = c == '#';
    if (c == '.' && ++dots > kMostKeyParts) return line;
    if (std::string_view("=,[]{}\n").find(c) != std::string_view::npos) dots = 0;
  }
  return 0;
}

json to_value(const toml::node& node, const std::string& file) {
  if (const auto* table = node.as_table()) {
    json object = json::object();
    for (const auto& [key, value] : *table) object[std::string(key.str())] = to_value(value, file);
    return object;
  }
  if (const auto* array = node.as_array()) {
    json list = json::array();
    for (const toml::node& element : *array) list.push_back(to_value(element, file));
    return list;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  throw ConfigError(line_of(file, node.source()) + ": a date or time has no meaning here; put it in quotes");
}

std::string quoted_toml(const std::string& text) {
  std::string out = "\"";
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (byte == '"' || byte == '\\') {
      out += {'\\', byte};
    } else if (code < 0x20 || code == 0x7F) {
      static constexpr char kDigits[] = "0123456789ABCDEF";
      out += {'\\', 'u', '0', '0', kDigits[code >> 4], kDigits[code & 15]};
    } else {
      out += byte;
    }
  }
  return out + '"';
}

std::string key_text(const std::string& key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? key : quoted_toml(key);
}

// What is nearly TOML, with what belongs there; "" where it is not known. `line` is the one that the error is in.
std::string cure_for(std::string_view description, std::string_view line, std::string_view content) {
  const auto says = [&](std::string_view word) { return description.find(word) != description.npos; };
  if (content.starts_with("\x1f\x8b") || content.starts_with("\x28\xb5\x2f\xfd"))
    return "; it is packed, and a config is read as it is: unpack it with gunzip or unzstd";
  if (!is_valid_utf8(content)) return "; " + utf8_problem(content);
  if (says("escape sequence"))
    return "; in double quotes a backslash begins an escape: write / in its place, or put the text in single quotes";
  for (const std::string_view quote : {"“", "”", "„", "‘", "’"})
    if (line.find(quote) != line.npos) return concat("; the quotes of TOML are \" and ', and there is a ", quote);
  if (content.starts_with("{"))
    return "; a config is TOML, key = value, and this looks like JSON: sft-dist init prints one to fill in";
  if (says("saw ':'"))
    return "; a config is TOML, key = value, and this looks like YAML: sft-dist init prints one to fill in";
  if (line.find("= True") != line.npos || line.find("= False") != line.npos) return "; write true or false";
  return "";
}

std::string_view line_at(std::string_view content, size_t number) {
  for (; number > 1 && !content.empty(); --number)
    content.remove_prefix(std::min(content.find('\n'), content.size() - 1) + 1);
  return content.substr(0, content.find('\n'));
}

// The shortest digits that read back as the same number, and always recognisably not an integer.
std::string number_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  const std::string out(text, end);
  return out.find_first_of(".e") == std::string::npos ? out + ".0" : out;
}

}  // namespace

std::vector<Setting> read_toml(const std::string& file, const std::function<bool(const std::string&)>& opens) {
  const std::string content = read_file(file);
  if (const int64_t line = line_of_deep_key(content); line > 0)
    throw ConfigError(concat(file, ":", line, ": a key of more than ", kMostKeyParts, " parts"));
  toml::table document;
  try {
    document = toml::parse(content, file);
  } catch (const toml::parse_error& error) {
    throw ConfigError(concat(line_of(file, error.source()), ": not TOML: ", escaped(error.description()),
                             cure_for(error.description(), line_at(content, error.source().begin.line), content)));
  }

  std::vector<std::pair<toml::source_index, Setting>> settings;
  const auto walk = [&](const auto& self, const toml::table& table, const std::vector<std::string>& above) -> void {
    for (const auto& [key, node] : table) {
      std::vector<std::string> path = above;
      path.emplace_back(key.str());
      if (node.is_table() && opens(join(path, "."))) {
        self(self, *node.as_table(), path);
      } else {
        settings.push_back({key.source().begin.line, {path, to_value(node, file), line_of(file, key.source()), ""}});
      }
    }
  };
  walk(walk, document, {});

  std::ranges::stable_sort(settings, {}, &std::pair<toml::source_index, Setting>::first);
  std::vector<Setting> in_order;
  for (auto& [line, setting] : settings) in_order.push_back(std::move(setting));
  return in_order;
}

json parse_toml_value(const std::string& words) {
  try {
    const toml::table document = toml::parse("value = " + words, std::string_view("command line"));
    if (document.size() == 1) return to_value(*document.get("value"), "command line");
  } catch (const toml::parse_error&) {  // a bare word
  } catch (const ConfigError&) {        // a date is a word too
  }
  return words;
}

std::string toml_text(const json& value) {
  std::vector<std::string> parts;
  switch (value.type()) {
    case json::value_t::string:
      return quoted_toml(value.get<std::string>());
    case json::value_t::number_float:
      return number_text(value.get<double>());
    case json::value_t::array:
      for (const json& element : value) parts.push_back(toml_text(element));
      return "[" + join(parts, ", ") + "]";
    case json::value_t::object:
      for (const auto& [key, element] : value.items()) parts.push_back(key_text(key) + " = " + toml_text(element));
      return parts.empty() ? "{}" : "{ " + join(parts, ", ") + " }";
    default:
      return value.dump();
  }
}

}  // namespace sft
