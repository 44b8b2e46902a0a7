#include "trainer/report/picture_gallery.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/report/html.h"
#include "trainer/report/small_picture.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

constexpr int64_t kMostPictures = 12;
constexpr int64_t kLongerSide = 320;  // pixels of the longer one

DrawPrediction drawing_of(const RunRecord& record) {
  for (const TaskKind& kind : tasks())
    if (kind.name == record.text_setting("model.task") && kind.drawing != nullptr) return kind.drawing();
  return nullptr;
}

int64_t lines_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  int64_t count = 0;
  for (std::string line; std::getline(file, line);) ++count;
  return count;
}

// Evenly over the file, the first among them.
std::vector<std::string> some_lines(const std::string& path, int64_t lines) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> some;
  const int64_t wanted = std::min(kMostPictures, lines);
  int64_t number = 0;
  for (std::string line; std::getline(file, line); ++number)
    if (const auto have = std::ssize(some); have < wanted && number >= have * lines / wanted) some.push_back(line);
  return some;
}

std::string figure(const DrawnPrediction& drawn) {
  std::string legend;
  for (const auto& [name, colour] : drawn.legend)
    legend += concat(" <i style=\"background:rgb(", int{colour[0]}, ",", int{colour[1]}, ",", int{colour[2]}, ")\"></i>",
                     html(name));
  const std::string name = std::filesystem::path(drawn.image).filename().string();
  return concat("<figure>", small_picture(drawn.picture, kLongerSide), "<figcaption title=\"", html(drawn.image), "\">",
                html(name), legend, "</figcaption></figure>\n");
}

std::string gallery(const std::string& path, const DrawPrediction& draw) {
  const int64_t lines = lines_in(path);
  std::string figures;
  int64_t drawn = 0, missing = 0;
  for (const std::string& line : some_lines(path, lines)) {
    try {
      figures += figure(draw(line));
      ++drawn;
    } catch (const Error&) {
      ++missing;
    }
  }
  if (drawn + missing == 0) return "";
  const std::string gone =
      missing == 0 ? "" : concat("; ", missing, " more are in no files of their own, or not where they were");
  return concat("<p class=\"note\">", drawn, " of ", human_count(static_cast<double>(lines)),
                " pictures, evenly over the file", gone, "</p>\n<div class=\"gallery\">\n", figures, "</div>\n");
}

}  // namespace

std::string picture_gallery(const RunRecord& record) {
  const std::string path = record.directory + "/predictions.jsonl";
  const DrawPrediction draw = drawing_of(record);
  if (!draw || !record.has_left_predictions() || !std::filesystem::is_regular_file(path)) return "";
  try {
    return gallery(path, draw);
  } catch (const std::exception& error) {
    return concat("<p class=\"note\">Pictures: ", html(error.what()), ".</p>\n");
  }
}

}  // namespace sft
