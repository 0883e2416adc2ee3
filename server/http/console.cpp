#include "server/http/console.h"

#include <algorithm>

#include "server/http/byte_range.h"

namespace pytoon::http {
namespace {

constexpr std::string_view kFolder = "/console/";
constexpr std::string_view kPlaceholder = "@ASSETS@";
// blob: is what people are about to upload, shown to them before it has gone.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

std::vector<Header> headers(std::string_view content_type, std::string_view cache_control) {
  return {{"Content-Type", std::string(content_type)},
          {"Cache-Control", std::string(cache_control)},
          {"Content-Security-Policy", std::string(kPolicy)},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"X-Frame-Options", "DENY"}};
}

std::string page_text() {
  std::string page(console_page());
  const std::string folder = std::string(kFolder) + std::string(console_hash());
  for (std::size_t at = 0; (at = page.find(kPlaceholder, at)) != std::string::npos;) {
    page.replace(at, kPlaceholder.size(), folder);
  }
  return page;
}

Result<Response> show_page(const Request& request) {
  const std::string etag = "\"" + std::string(console_hash()) + "\"";
  Response response{200, headers("text/html; charset=utf-8", "no-cache"), std::string()};
  response.headers.push_back({"ETag", etag});
  const auto known = request.head.header("if-none-match");
  if (known && etag_listed(*known, etag)) {
    response.status = 304;
  } else {
    response.body = page_text();
  }
  return response;
}

Result<Response> show_file(const Request& request) {
  const std::string& path = request.parameters.at("key");
  const auto files = console_files();
  const std::string wanted = std::string(kFolder) + path;
  const auto found = std::find_if(files.begin(), files.end(), [&](const ConsoleFile& file) {
    return console_path(file.name) == wanted;
  });
  if (found == files.end()) {
    return failure(FailureKind::kNotFound, "The console of this server has no such file.");
  }
  return Response{200, headers(found->content_type, "public, max-age=31536000, immutable"),
                  std::string(found->bytes)};
}

}  // namespace

std::string console_path(std::string_view name) {
  return std::string(kFolder) + std::string(console_hash()) + "/" + std::string(name);
}

std::vector<Route> console_routes() {
  const auto row = [](std::string pattern, Handler handler) {
    return Route{Method::kGet,    std::move(pattern),  Scope::kOpen,
                 BodyKind::kNone, Purpose::kImmediate, std::move(handler)};
  };
  return {row("/", show_page), row("/console/{key}", show_file)};
}

}  // namespace pytoon::http
