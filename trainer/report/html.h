// Text of unknown origin on its way into a page, and numbers as people read them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "trainer/metrics/metric_words.h"

namespace sft {

// For element content and quoted attributes. Control characters and invalid UTF-8 are shown as \n, \x1b, …
std::string html(std::string_view text);

// For the content of a <script type="application/json">: nothing in it ends the element.
std::string json_in_html(const nlohmann::ordered_json& value);

// "0.6382", "12.34", "1,234", "2.00e-05": four digits that matter. "NaN" and "Infinity" by name.
std::string number_text(double value);
// A number as above, a string itself, anything else as JSON; null is a dash.
std::string value_text(const nlohmann::ordered_json& value);

std::string percent_text(double share);  // "63.8 %"

std::string spoken(std::string key);              // "bytes_reduced" → "bytes reduced"
// "f1_weighted" → "F1 weighted", "mse" → "MSE", "f1" → "F1 (macro)" where the words say so.
std::string metric_name(const std::string& key, const MetricWords& words = {});

// A metric of which less is better, by its name.
bool is_error(const std::string& metric);

}  // namespace sft
