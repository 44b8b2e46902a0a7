#include "trainer/report/mistake_tables.h"

#include <filesystem>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "data/images/image.h"
#include "trainer/report/html.h"
#include "trainer/report/small_picture.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kThumbnailSide = 96;  // pixels of a picture's longer one

std::string shown_picture(const std::string& path) {
  const std::string name = html(std::filesystem::path(path).filename().string());
  try {
    if (is_image_file(path)) return small_picture(decode_image(read_file(path), path).image, kThumbnailSide) + name;
  } catch (const Error&) {
  }
  return name;  // in no file of its own, or not where it was
}

std::string text_member(const Json& mistake, const char* name) {
  return mistake.contains(name) && mistake[name].is_string() ? mistake[name].get<std::string>() : "";
}

std::string what_stands_there(const Json& mistake) {
  const std::string image = text_member(mistake, "image");
  return image.empty() ? html(text_member(mistake, "text")) : shown_picture(image);
}

std::string surest_table(const Json& mistakes) {
  std::string rows;
  for (const Json& mistake : mistakes) {
    const std::string place = text_member(mistake, "place") + text_member(mistake, "image");
    rows += concat("<tr><td class=n title=\"", html(place), "\">", mistake.at("row").get<int64_t>() + 1,
                   "</td><td class=\"text\">", what_stands_there(mistake), "</td><td>",
                   html(value_text(mistake.at("reference"))), "</td><td>", html(value_text(mistake.at("label"))),
                   "</td><td class=n>", html(value_text(mistake.at("score"))), "</td></tr>");
  }
  return concat(
      "<table class=\"wide\"><caption>The surest mistakes at the last evaluation: wrong labels are often among "
      "them</caption><thead><tr><th class=n>Row</th><th>What stands there</th><th>Labelled</th><th>Predicted</th><th "
      "class=n>Score</th></tr></thead><tbody>",
      rows, "</tbody></table>\n");
}

}  // namespace

std::string mistake_tables(const RunRecord& record) {
  const Json mistakes = record.told({"metrics", "details", "mistakes"});
  if (!mistakes.is_array() || mistakes.empty()) return "";
  try {
    return surest_table(mistakes);
  } catch (const std::exception& error) {
    return concat("<p class=\"note\">Wrong rows: ", html(error.what()), ".</p>\n");
  }
}

}  // namespace sft
