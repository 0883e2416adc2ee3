#include "server/http/upload_form.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::http {
namespace {
namespace fs = std::filesystem;

class UploadFormTest : public ::testing::Test {
 protected:
  bool folder_is_empty() const { return fs::is_empty(folder_); }

  const support::TemporaryFolder temporary_{"pytoon-upload-form"};  // cases run side by side
  const fs::path& folder_ = temporary_.path();
};

TEST_F(UploadFormTest, SpoolsTheFileAndRemovesIt) {
  {
    UploadForm form(folder_, {100, 100});
    ASSERT_TRUE(form.begin_part({"file", "../x.png", ""}).ok());
    ASSERT_TRUE(form.part_data("hello ").ok());
    ASSERT_TRUE(form.part_data("world").ok());
    ASSERT_TRUE(form.end_part().ok());
    ASSERT_TRUE(form.begin_part({"category", std::nullopt, ""}).ok());
    ASSERT_TRUE(form.part_data("image").ok());
    ASSERT_TRUE(form.end_part().ok());
    ASSERT_NE(form.file(), nullptr);
    EXPECT_EQ(form.file()->path().parent_path(), folder_);
    EXPECT_EQ(*read_file(form.file()->path()), "hello world");
    EXPECT_EQ(form.client_name(), "../x.png");
    EXPECT_EQ(form.category(), "image");
  }
  EXPECT_TRUE(folder_is_empty());
}

TEST_F(UploadFormTest, LeavesAMovedFileAlone) {
  const fs::path kept = folder_ / "kept";
  {
    UploadForm form(folder_, {100, 100});
    ASSERT_TRUE(form.begin_part({"file", "x", ""}).ok());
    ASSERT_TRUE(form.part_data("x").ok());
    ASSERT_TRUE(form.end_part().ok());
    fs::rename(form.file()->path(), kept);
  }
  EXPECT_TRUE(fs::exists(kept));
}

TEST_F(UploadFormTest, RefusesWrongParts) {
  UploadForm form(folder_, {10, 10});
  EXPECT_EQ(form.begin_part({"file", std::nullopt, ""}).failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(form.begin_part({"other", "x", ""}).failure().kind, FailureKind::kInvalid);
  ASSERT_TRUE(form.begin_part({"file", "x", ""}).ok());
  EXPECT_TRUE(form.part_data("0123456789").ok());
  EXPECT_EQ(form.part_data("0").failure().kind, FailureKind::kTooLarge);
  EXPECT_EQ(form.begin_part({"file", "x", ""}).failure().kind, FailureKind::kInvalid);
  ASSERT_TRUE(form.begin_part({"category", std::nullopt, ""}).ok());
  EXPECT_EQ(form.part_data(std::string(1000, 'x')).failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(form.begin_part({"category", std::nullopt, ""}).failure().kind, FailureKind::kInvalid);
}

class UploadLimitsTest : public UploadFormTest {
 protected:
  Status send(const std::string& name, const std::string& bytes) {
    const bool file = name == "file";
    Status sent =
        form_.begin_part({name, file ? std::optional<std::string>("x") : std::nullopt, ""});
    if (sent) sent = form_.part_data(bytes);
    return sent ? form_.end_part() : sent;
  }
  static void expect_too_large(const Status& sent, const std::string& detail) {
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.failure().kind, FailureKind::kTooLarge);
    ASSERT_EQ(sent.failure().faults.size(), 1U);
    EXPECT_EQ(sent.failure().faults[0].pointer, "/file");
    EXPECT_EQ(sent.failure().faults[0].detail, detail);
  }

  UploadForm form_{folder_, {10, 30}};
};

TEST_F(UploadLimitsTest, ACategoryBeforeTheFileLimitsItWhileItIsRead) {
  ASSERT_TRUE(send("category", "image"));
  ASSERT_TRUE(form_.begin_part({"file", "x", ""}));
  ASSERT_TRUE(form_.part_data("0123456789"));
  expect_too_large(form_.part_data("0"), "is over 10 bytes, the most for the category image");
}

TEST_F(UploadLimitsTest, AClipMayBeLarger) {
  ASSERT_TRUE(send("category", "video"));
  ASSERT_TRUE(form_.begin_part({"file", "x", ""}));
  ASSERT_TRUE(form_.part_data(std::string(30, 'x')));
  expect_too_large(form_.part_data("0"), "is over 30 bytes, the most for the category video");
}

TEST_F(UploadLimitsTest, ACategoryAfterTheFileMeasuresIt) {
  ASSERT_TRUE(send("file", std::string(11, 'x'))) << "may be a clip";
  expect_too_large(send("category", "mask"), "is over 10 bytes, the most for the category mask");
}

TEST_F(UploadLimitsTest, NoCategoryAllowsMoreThanTheLargestLimit) {
  ASSERT_TRUE(form_.begin_part({"file", "x", ""}));
  ASSERT_TRUE(form_.part_data(std::string(30, 'x')));
  expect_too_large(form_.part_data("0"), "is over 30 bytes, more than any category may have");
}

TEST_F(UploadLimitsTest, AnUnknownCategoryIsRefusedBeforeTheFile) {
  EXPECT_EQ(send("category", "nonsense").failure().faults.at(0).pointer, "/category");
}

TEST_F(UploadFormTest, ClearsOnlyItsOwnLeftovers) {
  ASSERT_TRUE(write_file_atomically(folder_ / ".tmp-1-2-.upload", "stale").ok());
  ASSERT_TRUE(write_file_atomically(folder_ / "precious", "keep").ok());
  ASSERT_TRUE(clear_spool(folder_).ok());
  EXPECT_FALSE(fs::exists(folder_ / ".tmp-1-2-.upload"));
  EXPECT_TRUE(fs::exists(folder_ / "precious"));
  EXPECT_TRUE(clear_spool(folder_ / "new" / "deep").ok());
}

}  // namespace
}  // namespace pytoon::http
