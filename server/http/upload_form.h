// The form of an upload while it streams in: one file part, "file", goes to a spool file; the text
// part "category" stays in memory. Any other part is a fault of the client.
//
// A file over its category's limit is refused as soon as both are known: while it is read when the
// category came first, else at the latest when the category has come.
//
// Not for use from two threads at a time. Blocks on the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "server/http/multipart.h"
#include "server/http/spool_file.h"
#include "server/jobs/upload_rules.h"

namespace pytoon::http {

class UploadForm final : public MultipartSink {
 public:
  UploadForm(std::filesystem::path spool_folder, jobs::UploadLimits limits)
      : spool_folder_(std::move(spool_folder)), limits_(limits) {}

  // Errors: kInvalid for a wrong or repeated part, kTooLarge, kStorageFull, kIo.
  Status begin_part(const PartHead& head) override;
  Status part_data(std::string_view bytes) override;
  Status end_part() override;

  // nullptr when no file part came.
  const SpoolFile* file() const { return file_ ? &*file_ : nullptr; }
  const std::string& client_name() const { return client_name_; }
  const std::optional<std::string>& category() const { return category_; }

 private:
  const std::filesystem::path spool_folder_;
  const jobs::UploadLimits limits_;
  bool in_file_ = false;
  std::optional<SpoolFile> file_;
  std::string client_name_;
  std::optional<std::string> category_;
};

}  // namespace pytoon::http
