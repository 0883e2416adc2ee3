#include "server/http/upload_form.h"

namespace pytoon::http {
namespace {
constexpr std::size_t kTextBytesMax = 256;
}

Status UploadForm::begin_part(const PartHead& head) {
  in_file_ = head.name == "file";
  if (in_file_) {
    if (file_) return invalid_field("/file", "There must be one file part.");
    if (!head.filename) return invalid_field("/file", "The part 'file' must have a file name.");
    client_name_ = *head.filename;
    auto created = SpoolFile::create(spool_folder_);
    if (!created) return created.failure();
    file_ = *std::move(created);
    return ok_status();
  }
  if (head.name != "category") {
    return invalid_field("", "The parts of an upload are 'file' and 'category', no others.");
  }
  if (category_) return invalid_field("/category", "There must be one category part.");
  category_.emplace();
  return ok_status();
}

Status UploadForm::part_data(std::string_view bytes) {
  if (!in_file_) {
    category_->append(bytes);
    if (category_->size() <= kTextBytesMax) return ok_status();
    return invalid_field("/category", "The category is too long.");
  }
  const auto size = static_cast<std::int64_t>(file_->size() + bytes.size());
  Status fits = jobs::check_upload_size(size, category_.value_or(""), limits_);
  if (!fits) return fits;
  return file_->append(bytes);
}

Status UploadForm::end_part() {
  if (in_file_) {
    file_->close();
    return ok_status();
  }
  if (Status known = jobs::check_category(*category_); !known || !file_) return known;
  return jobs::check_upload_size(static_cast<std::int64_t>(file_->size()), *category_, limits_);
}

}  // namespace pytoon::http
