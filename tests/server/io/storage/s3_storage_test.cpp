// What is special about S3, on a real server: signatures, parts, URLs, a network that fails.
#include <gtest/gtest.h>

#include <set>

#include "base/files.h"
#include "base/hash.h"
#include "server/io/storage/s3_upload.h"
#include "server/io/storage/s3_xml.h"
#include "tests/server/io/storage/s3_fixture.h"

namespace pytoon::io {
namespace fs = std::filesystem;

class S3StorageTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(the_s3_server().started()); }
  fs::path file_of(const std::string& bytes) {
    fs::path path = rig_.storage->staging("file");
    EXPECT_TRUE(write_file_atomically(path, bytes));
    return path;
  }
  // As another process sees it, whose cache is empty.
  std::string read_afresh(const std::string& key) {
    const auto storage = rig_.open(rig_.options);
    const Result<fs::path> path = storage->local(key);
    EXPECT_TRUE(path) << path.failure().detail;
    return path ? *read_file(*path) : "";
  }
  std::size_t uploads_under_way() {
    S3Client client(rig_.options, rig_.http, rig_.clock);
    const auto page = client.send({.query = {{"uploads", ""}}});
    EXPECT_TRUE(page) << page.failure().detail;
    if (!page) return 999;
    const auto document = read_xml(page->body, "ListMultipartUploadsResult");
    EXPECT_TRUE(document) << document.failure().detail;
    if (!document) return 999;
    const auto uploads = document->document_element().children("Upload");
    return static_cast<std::size_t>(std::distance(uploads.begin(), uploads.end()));
  }
  Result<HttpAnswer> get(const std::string& url) {
    HttpRequest request;
    request.url = url;
    request.egress = EgressScope::kAny;
    return rig_.http.send(request, CancelToken());
  }

  S3Rig rig_;
};

TEST_F(S3StorageTest, ObjectsCarryTheirTypeAndChecksum) {
  ASSERT_TRUE(rig_.storage->put(file_of("film"), "jobs/1/output.mp4"));
  EXPECT_EQ(read_afresh("jobs/1/output.mp4"), "film");
  S3Client client(rig_.options, rig_.http, rig_.clock);
  const auto head = client.send({.method = "HEAD", .key = "jobs/1/output.mp4"});
  ASSERT_TRUE(head);
  EXPECT_EQ(head->header("content-type"), "video/mp4");
  EXPECT_EQ(head->header(kSha256Header), sha256_hex("film"));
}

TEST_F(S3StorageTest, LargeFilesGoUpInPartsAndStayWholeInCopies) {
  std::string bytes(11 << 20, 'a');
  bytes[6 << 20] = 'b';
  ASSERT_TRUE(rig_.storage->put(file_of(bytes), "large.mp4"));
  ASSERT_TRUE(rig_.storage->link("large.mp4", "copy.mp4"));
  EXPECT_TRUE(read_afresh("large.mp4") == bytes);
  EXPECT_TRUE(read_afresh("copy.mp4") == bytes);
  S3Client client(rig_.options, rig_.http, rig_.clock);
  const auto head = client.send({.method = "HEAD", .key = "large.mp4"});
  ASSERT_TRUE(head);
  EXPECT_NE(head->header("etag").find("-3"), std::string::npos) << "not in three parts";
  EXPECT_EQ(head->header(kSha256Header), sha256_hex(bytes));
  EXPECT_EQ(uploads_under_way(), 0U);
}

TEST_F(S3StorageTest, AnUploadThatFailsIsTakenBackAndAnAbandonedOneSwept) {
  const std::string bytes(11 << 20, 'a');
  const fs::path file = file_of(bytes);
  // Each connection dies in the middle of a part.
  rig_.gate.set({.cut_after = 3 << 20});
  EXPECT_FALSE(rig_.storage->put(file, "large"));
  rig_.gate.set({});
  EXPECT_EQ(uploads_under_way(), 0U);
  EXPECT_FALSE(*rig_.storage->contains("large"));
  ASSERT_TRUE(fs::exists(file));
  // A process that died: nobody takes its upload back.
  S3Client client(rig_.options, rig_.http, rig_.clock);
  ASSERT_TRUE(client.send(
      {.method = "POST", .key = "dead", .query = {{"uploads", ""}}, .body = std::string()}));
  ASSERT_EQ(uploads_under_way(), 1U);
  // However wrong our own clock is: an upload is young by the clock of S3.
  rig_.clock.shift = std::chrono::minutes(10);
  Result<int> aborted = rig_.storage->reclaim_abandoned();
  rig_.clock.shift = {};
  ASSERT_TRUE(aborted) << aborted.failure().detail;
  EXPECT_EQ(*aborted, 0);
  EXPECT_EQ(uploads_under_way(), 1U);
  aborted = abort_abandoned(client, rig_.options, rig_.clock.now() + std::chrono::hours(25));
  ASSERT_TRUE(aborted) << aborted.failure().detail;
  EXPECT_EQ(*aborted, 1);
  EXPECT_EQ(uploads_under_way(), 0U);
}

TEST_F(S3StorageTest, APartThatIsCutIsSentAgain) {
  const std::string bytes(11 << 20, 'a');
  rig_.gate.set({.cut_after = 7 << 20});  // in the middle of the second one
  const Status done = rig_.storage->put(file_of(bytes), "large");
  rig_.gate.set({});
  ASSERT_TRUE(done) << done.failure().detail;
  EXPECT_GT(rig_.gate.connections(), 1);
  EXPECT_TRUE(read_afresh("large") == bytes);
}

TEST_F(S3StorageTest, PresignedUrlsOpenOneObjectForAWhile) {
  ASSERT_TRUE(rig_.storage->put(file_of("film"), "a.mp4"));
  ASSERT_TRUE(rig_.storage->put(file_of("other"), "b.mp4"));
  const auto url = rig_.storage->presigned("a.mp4", std::chrono::seconds(60));
  ASSERT_TRUE(url && *url);
  const auto answer = get(**url);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(answer->body, "film");
  std::string other = **url;
  other.replace(other.find("a.mp4"), 5, "b.mp4");
  EXPECT_EQ(get(other)->status, 403);
  EXPECT_EQ(get((*url)->substr(0, (*url)->find('?')))->status, 403);
  rig_.clock.shift = std::chrono::seconds(-120);
  EXPECT_EQ(get(**rig_.storage->presigned("a.mp4", std::chrono::seconds(60)))->status, 403);
  EXPECT_FALSE(rig_.storage->presigned("a.mp4", std::chrono::seconds(0)));
  EXPECT_FALSE(rig_.storage->presigned("a.mp4", std::chrono::hours(24 * 8)));
}

TEST_F(S3StorageTest, AWrongKeyBucketOrClockIsNamed) {
  S3Options wrong = rig_.options;
  wrong.credentials.secret = "hunter2";
  Failure why = rig_.open(wrong)->writable().failure();
  EXPECT_EQ(why.kind, FailureKind::kUnavailable);
  EXPECT_NE(why.detail.find(support::S3Server::kKeyId), std::string::npos) << why.detail;
  EXPECT_EQ(why.detail.find("hunter2"), std::string::npos);
  wrong = rig_.options;
  wrong.bucket = "no-such-bucket";
  why = rig_.open(wrong)->writable().failure();
  EXPECT_NE(why.detail.find("no-such-bucket"), std::string::npos) << why.detail;
  rig_.clock.shift = std::chrono::hours(2);
  why = rig_.open(rig_.options)->writable().failure();
  EXPECT_NE(why.detail.find("clock"), std::string::npos) << why.detail;
}

TEST_F(S3StorageTest, LongListsComeInPages) {
  const fs::path file = file_of("x");
  ASSERT_TRUE(rig_.storage->put(file, "first"));
  for (int i = 0; i < 25; ++i) {
    ASSERT_TRUE(rig_.storage->link("first", "many/" + std::to_string(i)));
  }
  S3Options narrow = rig_.options;
  narrow.list_page = 10;
  const auto found = rig_.open(narrow)->list("many/");
  ASSERT_TRUE(found) << found.failure().detail;
  std::set<std::string> keys;
  for (const auto& object : *found) keys.insert(object.key);
  EXPECT_EQ(found->size(), 25U);
  EXPECT_EQ(keys.size(), 25U);
}

TEST_F(S3StorageTest, DamageOnTheWayIsFoundAndMended) {
  const std::string bytes(300'000, 'a');
  rig_.gate.set({.corrupt_every = 200'000});
  EXPECT_FALSE(rig_.storage->put(file_of(bytes), "a"));
  EXPECT_FALSE(rig_.storage->local("a"));
  rig_.gate.set({});
  EXPECT_FALSE(*rig_.storage->contains("a"));
  ASSERT_TRUE(rig_.storage->put(file_of(bytes), "a"));
  const auto storage = rig_.open(rig_.options);
  rig_.gate.set({.corrupt_every = 200'000});
  EXPECT_FALSE(storage->local("a"));
  rig_.gate.set({});
  EXPECT_EQ(read_afresh("a"), bytes);
}

TEST_F(S3StorageTest, AServerThatIsAwayIsUnavailableAndComesBack) {
  ASSERT_TRUE(rig_.storage->put(file_of("x"), "a"));
  rig_.gate.set({.refuse = true});
  EXPECT_EQ(rig_.storage->local("a").failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(rig_.storage->contains("a").failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(rig_.storage->writable().failure().kind, FailureKind::kUnavailable);
  rig_.gate.set({.delay = std::chrono::milliseconds(30)});
  EXPECT_TRUE(rig_.storage->writable());
  EXPECT_EQ(read_afresh("a"), "x");
}

TEST_F(S3StorageTest, ASilentServerIsNotWaitedForForEver) {
  S3Options impatient = rig_.options;
  impatient.answer_limit = std::chrono::milliseconds(200);
  impatient.transfer_limit = std::chrono::milliseconds(400);
  const auto storage = rig_.open(impatient);
  rig_.gate.set({.hold = true});
  EXPECT_EQ(storage->contains("a").failure().kind, FailureKind::kTimeout);
  EXPECT_EQ(storage->put(file_of("x"), "a").failure().kind, FailureKind::kTimeout);
}

}  // namespace pytoon::io
