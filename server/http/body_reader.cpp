#include "server/http/body_reader.h"

#include <algorithm>

namespace pytoon::http {

BodyReader::BodyReader(Admitted& admitted, RequestGate& gate)
    : admitted_(admitted),
      budget_(gate.body_budget()),
      tenant_budget_(gate.body_budget_of(admitted.request.caller.tenant)) {
  const RequestHead& head = admitted.request.head;
  left_bytes_ = head.content_length.value_or(0);
  if (head.chunked) chunked_.emplace();
  if (admitted.route->body != BodyKind::kUpload) return;
  form_.emplace(admitted.boundary);
  admitted.request.form =
      std::make_unique<UploadForm>(gate.limits().spool_folder, gate.limits().uploads);
}

bool BodyReader::done() const { return chunked_ ? chunked_->done() : left_bytes_ == 0; }

Status BodyReader::keep(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (Status fits = admitted_.fits(body_bytes_); !fits) return fits;
  if (form_) return form_->feed(bytes, *admitted_.request.form);
  if (!admitted_.request.tenant_share.take(tenant_budget_, bytes.size())) {
    return failure(FailureKind::kRateLimited, "Too many requests of yours are being read.");
  }
  if (!admitted_.request.body_share.take(budget_, bytes.size())) {
    return failure(FailureKind::kUnavailable, "Too many requests are being read.");
  }
  admitted_.request.body.append(bytes);
  return ok_status();
}

Result<std::size_t> BodyReader::feed(std::string_view bytes) {
  received_bytes_ += bytes.size();
  const Result<std::size_t> taken = take(bytes);
  if (taken && done() && form_ && !form_->complete()) {
    return failure(FailureKind::kMalformed, "The form ends without its closing boundary.");
  }
  return taken;
}

// Takes off the framing.
Result<std::size_t> BodyReader::take(std::string_view bytes) {
  if (chunked_)
    return chunked_->feed(bytes, [this](std::string_view piece) { return keep(piece); });
  const std::size_t piece = std::min<std::uint64_t>(bytes.size(), left_bytes_);
  if (Status kept = keep(bytes.substr(0, piece)); !kept) return kept.failure();
  left_bytes_ -= piece;
  return piece;
}

}  // namespace pytoon::http
