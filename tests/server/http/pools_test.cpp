// None of the server's pools can starve another, and a full one says so.
#include <atomic>
#include <sstream>
#include <thread>

#include "live_server.h"
#include "server/http/handler_pools.h"

namespace pytoon::http::testing_support {
namespace {

using std::chrono::seconds;

constexpr std::string_view kStatus = "/api/v1/jobs/queued";

// Holds whoever comes until it is opened, or until a test has taken far too long.
class Barrier {
 public:
  ~Barrier() { open(); }
  void wait() {
    std::unique_lock lock(mutex_);
    ++inside_;
    opened_.wait_for(lock, seconds(60), [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  int inside() {
    const std::lock_guard lock(mutex_);
    return inside_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
  int inside_ = 0;
};

class PoolsTest : public LiveServer {
 protected:
  void SetUp() override {
    options.pools.api = {2, 4};
    options.pools.uploads = {2, 4};
    options.pools.downloads = {2, 4};
    options.pools.previews = {1, 2};
    start();
  }
  // The hooks of the service hold threads of the server at the barrier: it must outlive them.
  void TearDown() override {
    barrier_.open();
    server.reset();
  }
  static std::string upload_request(std::string_view file = "x",
                                    std::string_view category = "image") {
    return request("POST", kUpload, key_header(kSubmitKey) + std::string(kFormType),
                   form_of(file, category));
  }
  static std::string status_request() { return request("GET", kStatus, key_header(kReadKey)); }
  static std::string output_request() {
    return request("GET", "/api/v1/jobs/finished/output", key_header(kReadKey));
  }
  // Sends each request on a connection of its own.
  void send(int count, const std::string& bytes) {
    for (int i = 0; i < count; ++i) {
      crowd_.push_back(client());
      ASSERT_TRUE(crowd_.back().send(bytes));
    }
  }
  jobs::PoolState pool(const std::string& name) const {
    for (const jobs::PoolState& state : server->pools()) {
      if (state.name == name) return state;
    }
    ADD_FAILURE() << "there is no pool " << name;
    return {};
  }

  Barrier barrier_;
  std::vector<RawClient> crowd_;
};

TEST_F(PoolsTest, StatusReadsGoOnWhileUploadsAreDecoded) {
  service.on_upload = [&] { barrier_.wait(); };
  send(2, upload_request());
  ASSERT_TRUE(eventually([&] { return barrier_.inside() == 2; }));
  send(4, upload_request());
  EXPECT_EQ(get(kStatus).status, 200);
  barrier_.open();
  for (RawClient& one : crowd_) EXPECT_EQ(one.reply().status, 201);
}

TEST_F(PoolsTest, StatusReadsGoOnWhileObjectsAreFetched) {
  service.on_output = [&] { barrier_.wait(); };
  send(2, output_request());
  ASSERT_TRUE(eventually([&] { return barrier_.inside() == 2; }));
  send(4, output_request());
  EXPECT_EQ(get(kStatus).status, 200);
  EXPECT_EQ(client().ask(upload_request()).status, 201);
  barrier_.open();
}

TEST_F(PoolsTest, OperatorsAndPresetsAreAnsweredWhileTheDatabaseHangs) {
  service.on_job = [&] { barrier_.wait(); };
  send(2, status_request());
  ASSERT_TRUE(eventually([&] { return barrier_.inside() == 2; }));
  send(4, status_request());
  for (const char* path : {"/health", "/ready", "/metrics", "/openapi.json", "/api/v1/presets"}) {
    EXPECT_EQ(get(path).status, 200) << path;
  }
  EXPECT_EQ(client().ask(request("GET", "/api/v1/admin/capacity", key_header(kAdminKey))).status,
            200);
  barrier_.open();
}

TEST_F(PoolsTest, UploadsAndDownloadsGoOnWhileTheDatabaseHangs) {
  write_bytes(folder / "video", "bytes");
  service.artifact = {folder / "video", "video/mp4", "\"e\""};
  service.on_job = [&] {
    if (barrier_.inside() < 2) barrier_.wait();
  };
  send(2, status_request());
  ASSERT_TRUE(eventually([&] { return barrier_.inside() == 2; }));
  EXPECT_EQ(client().ask(upload_request()).status, 201);
  EXPECT_EQ(client().ask(output_request()).status, 200);
  barrier_.open();
}

TEST_F(PoolsTest, AFullQueueIsRefusedWithRetryAfter) {
  service.on_output = [&] { barrier_.wait(); };
  send(2, output_request());
  ASSERT_TRUE(eventually([&] { return barrier_.inside() == 2; }));
  send(4, output_request());
  ASSERT_TRUE(eventually([&] { return pool("http_downloads").queued == 4; }));
  const Reply refused = client().ask(output_request());
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.headers.contains("retry-after"));
  EXPECT_EQ(get(kStatus).status, 200);
  barrier_.open();
}

TEST_F(PoolsTest, AFullUploadQueueIsRefusedWithRetryAfter) {
  service.on_upload = [&] { barrier_.wait(); };
  send(2, upload_request());
  ASSERT_TRUE(eventually([&] { return barrier_.inside() == 2; }));
  send(4, upload_request());
  ASSERT_TRUE(eventually([&] { return pool("http_uploads").queued == 4; }));
  const Reply refused = client().ask(upload_request());
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.headers.contains("retry-after"));
  barrier_.open();
  for (RawClient& one : crowd_) EXPECT_EQ(one.reply().status, 201);
}

TEST_F(PoolsTest, PreviewsHoldUpNobodyAndAreRefusedWhenTheyAreMany) {
  const std::string preview =
      request("POST", "/api/v1/preview", key_header(kSubmitKey) + std::string(kJson),
              R"({"preset_id":"p"})");
  service.on_preview = [&] { barrier_.wait(); };
  send(1, preview);
  ASSERT_TRUE(eventually([&] { return barrier_.inside() == 1; }));
  send(2, preview);
  ASSERT_TRUE(eventually([&] { return pool("http_previews").queued == 2; }));
  EXPECT_EQ(client().ask(preview).status, 503);
  EXPECT_EQ(get(kStatus).status, 200);
  EXPECT_EQ(client().ask(upload_request()).status, 201);
  barrier_.open();
  for (RawClient& one : crowd_) EXPECT_EQ(one.reply().status, 200);
}

TEST_F(PoolsTest, PoolsSayHowBusyTheyAre) {
  service.on_upload = [&] { barrier_.wait(); };
  send(2, upload_request());
  ASSERT_TRUE(eventually([&] { return barrier_.inside() == 2; }));
  send(1, upload_request());
  ASSERT_TRUE(eventually([&] { return pool("http_uploads").queued == 1; }));
  EXPECT_EQ(pool("http_uploads").threads, 2);
  EXPECT_EQ(pool("http_uploads").busy, 2);
  EXPECT_EQ(pool("http_downloads").busy, 0);
  barrier_.open();
  for (RawClient& one : crowd_) EXPECT_EQ(one.reply().status, 201);
  EXPECT_TRUE(eventually([&] { return pool("http_uploads").busy == 0; }));
}

// While no thread is free to write, the client is slowed down and its bytes are not piled up.
TEST_F(PoolsTest, AnUploadThatNobodyWritesIsNotRead) {
  service.on_upload = [&] {
    if (barrier_.inside() < 2) barrier_.wait();
  };
  send(2, upload_request());
  ASSERT_TRUE(eventually([&] { return barrier_.inside() == 2; }));
  const std::string bytes = upload_request(noise(60'000'000, 4), "video");
  const std::size_t before = resident_bytes();
  std::atomic<std::size_t> sent{0};
  RawClient fast = client();
  std::thread sender([&] {
    for (std::size_t at = 0; at < bytes.size(); at += 100'000) {
      if (!fast.send(std::string_view(bytes).substr(at, 100'000))) return;
      sent = at;
    }
  });
  // It stands still: the same count at two looks, well before the end.
  std::size_t last = 0;
  EXPECT_TRUE(eventually([&] {
    const std::size_t now = sent;
    const bool stands = now > 0 && now == std::exchange(last, now);
    clock.sleep_for(std::chrono::milliseconds(200));
    return stands;
  }));
  EXPECT_LT(sent, 30'000'000U);
  EXPECT_LT(grown_since(before), 30'000'000U);
  EXPECT_TRUE(alive());
  barrier_.open();
  sender.join();
  EXPECT_EQ(fast.reply().status, 201);
}

TEST(HandlerPool, AnExceptionEndsTheTaskAndNotTheProcess) {
  std::ostringstream lines;
  SystemClock clock;
  Log log(clock, lines);
  std::atomic<bool> ran{false};
  {
    HandlerPool pool("test", {1, 10}, log);
    ASSERT_TRUE(pool.post([] { throw std::runtime_error("boom"); }));
    ASSERT_TRUE(pool.post([&] { ran = true; }));
    for (int i = 0; i < 1000 && !ran; ++i) clock.sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(ran);
  EXPECT_NE(lines.str().find("http_pool_task_crash"), std::string::npos);
}

}  // namespace
}  // namespace pytoon::http::testing_support
