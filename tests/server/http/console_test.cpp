#include "server/http/console.h"

#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

class ConsoleTest : public LiveServer {
 protected:
  // Values of this attribute in the page.
  std::vector<std::string> linked(const std::string& page, const std::string& attribute) const {
    std::vector<std::string> found;
    const std::string begin = attribute + "=\"/console/";
    for (std::size_t at = 0; (at = page.find(begin, at)) != std::string::npos; ++at) {
      const std::size_t from = at + attribute.size() + 2;
      found.push_back(page.substr(from, page.find('"', from) - from));
    }
    return found;
  }
};

TEST_F(ConsoleTest, ThePageNeedsNoKeyAndNamesItsFiles) {
  const Reply page = get("/", "");
  ASSERT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.headers.at("cache-control"), "no-cache");
  EXPECT_EQ(page.body.find("@ASSETS@"), std::string::npos);
  EXPECT_EQ(linked(page.body, "src").size(), 2U);
  for (const char* attribute : {"src", "href"}) {
    for (const std::string& path : linked(page.body, attribute)) {
      EXPECT_EQ(get(path, "").status, 200) << path;
    }
  }
}

TEST_F(ConsoleTest, TheBrowserAsksAgainForThePageAlone) {
  const std::string etag = get("/", "").headers.at("etag");
  EXPECT_EQ(get("/", "", "If-None-Match: " + etag + "\r\n").status, 304);
  EXPECT_EQ(get("/", "", "If-None-Match: \"old\"\r\n").status, 200);
  EXPECT_EQ(get(console_path("main.js"), "").headers.at("cache-control"),
            "public, max-age=31536000, immutable");
  EXPECT_EQ(get("/console/0123456789abcdef/main.js", "").status, 404) << "of another version";
}

TEST_F(ConsoleTest, ThePageMayAskNobodyElse) {
  const std::string policy = get("/", "").headers.at("content-security-policy");
  for (const char* part : {"default-src 'none'", "script-src 'self'", "connect-src 'self'",
                           "frame-ancestors 'none'", "require-trusted-types-for 'script'"}) {
    EXPECT_NE(policy.find(part), std::string::npos) << part;
  }
  for (const char* loose : {"unsafe", "http", "*", "data:"}) {
    EXPECT_EQ(policy.find(loose), std::string::npos) << loose;
  }
  EXPECT_EQ(get("/", "").headers.at("referrer-policy"), "no-referrer");
}

TEST_F(ConsoleTest, NoFileOfItNamesAnotherHostOrMakesMarkupOfText) {
  std::size_t scripts = 0;
  for (const ConsoleFile& file : console_files()) {
    if (!file.name.ends_with(".js")) continue;
    ++scripts;
    for (const char* banned : {"https://", "innerHTML", "outerHTML", "insertAdjacentHTML",
                               "document.write", "eval(", "DOMParser"}) {
      EXPECT_EQ(file.bytes.find(banned), std::string_view::npos) << file.name << " " << banned;
    }
  }
  EXPECT_GT(scripts, 5U);
}

TEST_F(ConsoleTest, AllItsScriptsAreAFewTensOfKilobytes) {
  std::size_t bytes = 0;
  for (const ConsoleFile& file : console_files()) {
    if (file.name.ends_with(".js") || file.name.ends_with(".css")) bytes += file.bytes.size();
  }
  EXPECT_LT(bytes, 110'000U);
}

class WorkerTest : public LiveServer {
  void SetUp() override {
    options.operators_only = true;
    start();
  }
};

TEST_F(WorkerTest, AWorkerHasNoConsole) {
  EXPECT_EQ(get("/", "").status, 404);
  EXPECT_EQ(post("/session", "", "").status, 404);
}

}  // namespace
}  // namespace pytoon::http::testing_support
