#include "trainer/report/html.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <vector>

#include "base/text.h"

namespace sft {
namespace {

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::string html(std::string_view text) {
  std::string out;
  for (const char c : escaped(text)) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

// In JSON `<` stands in strings only, where it may be written as an escape.
std::string json_in_html(const nlohmann::ordered_json& value) {
  std::string out;
  for (const char c : value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace))
    out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return out;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  const double size = std::abs(value);
  if (value == 0) return "0";
  if (size < 1e-3) return formatted("%.2e", value);
  if (size < 10 && value != std::floor(value)) return formatted("%.4f", value);
  if (size < 100 && value != std::floor(value)) return formatted("%.2f", value);
  if (size < 1000 && value != std::floor(value)) return formatted("%.1f", value);
  return size < 1e15 ? human_count(value) : formatted("%.3e", value);
}

std::string value_text(const nlohmann::ordered_json& value) {
  if (value.is_null()) return "–";
  if (value.is_number()) return number_text(value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string percent_text(double share) { return formatted("%.1f %%", 100 * share); }

std::string spoken(std::string key) {
  std::replace(key.begin(), key.end(), '_', ' ');
  return key;
}

std::string metric_name(const std::string& key, const MetricWords& words) {
  static const std::vector<std::string> kInitials{"f1", "mcc", "mse", "mae", "rmse", "r2", "bleu", "auc"};
  std::string name = spoken(key);
  const size_t end = std::min(name.find(' '), name.size());
  if (std::ranges::find(kInitials, name.substr(0, end)) != kInitials.end())
    std::transform(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(end), name.begin(), ::toupper);
  return name + words.remark(key);
}

bool is_error(const std::string& metric) {
  return std::ranges::any_of(std::initializer_list<const char*>{"loss", "mse", "mae", "rmse", "error", "perplexity"},
                             [&](const char* word) { return metric.find(word) != std::string::npos; });
}

}  // namespace sft
