// The console: the page for people, at `/`. Its files (web/) are in the binary. They are served
// below a path that has a hash of all of them in it, so a browser keeps them for ever and never
// mixes two versions; the page that names this path is asked for again each time.
//
// The page uses the public API and nothing else. Its Content-Security-Policy lets it load and ask
// nothing but this server, and makes no script of text.
//
// Thread rule: constant data; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/router.h"

namespace pytoon::http {

struct ConsoleFile {
  std::string_view name;  // "main.js", "presets/meme_fast.jpg"
  std::string_view content_type;
  std::string_view bytes;
};

// All but the page itself.
std::span<const ConsoleFile> console_files();
// Of the page; @ASSETS@ stands for the folder of the files.
std::string_view console_page();
// A hash of all files and the page.
std::string_view console_hash();
// "/console/HASH/main.js"
std::string console_path(std::string_view name);

std::vector<Route> console_routes();

}  // namespace pytoon::http
