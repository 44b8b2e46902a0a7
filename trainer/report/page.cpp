#include "trainer/report/page.h"

#include "base/text.h"
#include "trainer/report/html.h"

namespace sft {

std::string page(const std::string& title, const std::string& body) {
  return concat("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
                "<meta name=\"color-scheme\" content=\"light dark\">\n<title>", html(title),
                " · sft-dist</title>\n<style>\n", kPageStyle, "</style>\n</head>\n<body>\n<main>\n", body,
                "</main>\n<script>\n", kPageScript, "</script>\n</body>\n</html>\n");
}

}  // namespace sft
