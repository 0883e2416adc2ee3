#include "base/curl_transfer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/files.h"
#include "base/text.h"

namespace pytoon {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kErrorBodyBytes = 64 << 10;  // kept of an answer that is not 2xx
constexpr std::size_t kHeaderBytesMax = 64 << 10;
constexpr int kReadBytes = 64 << 10;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct MimeDeleter {
  void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};

// What libcurl's callbacks work on.
struct Exchange {
  const HttpRequest& request;
  EgressFilter gate;
  HttpAnswer answer;
  std::size_t header_bytes = 0;
  FileDescriptor upload;
  FileDescriptor download;
  bool too_large = false;
  int file_error = 0;
};

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string line(data, size * count);
  exchange.header_bytes += line.size();
  if (exchange.header_bytes > kHeaderBytesMax) {
    exchange.too_large = true;
    return 0;
  }
  // Headers of a 100 Continue before the answer are forgotten.
  if (line.starts_with("HTTP/")) exchange.answer.headers.clear();
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return line.size();
  const std::string_view value = trim(std::string_view(line).substr(colon + 1), " \t\r\n");
  exchange.answer.headers.emplace_back(lower_case(line.substr(0, colon)), value);
  return line.size();
}

bool write_to(Exchange& exchange, const char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = ::write(exchange.download.get(), data, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      exchange.file_error = errno;
      return false;
    }
    data += written;
    bytes -= static_cast<std::size_t>(written);
  }
  return true;
}

struct Sink {
  Exchange& exchange;
  CURL* easy;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& [exchange, easy] = *static_cast<Sink*>(user);
  const std::size_t bytes = size * count;
  exchange.answer.bytes += static_cast<std::int64_t>(bytes);
  if (exchange.answer.bytes > exchange.request.limits.answer_bytes) {
    exchange.too_large = true;
    return 0;
  }
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.download && status >= 200 && status < 300) {
    return write_to(exchange, data, bytes) ? bytes : 0;
  }
  std::string& body = exchange.answer.body;
  const bool good = status >= 200 && status < 300;
  const std::size_t room = good ? bytes : kErrorBodyBytes - std::min(body.size(), kErrorBodyBytes);
  body.append(data, std::min(bytes, room));
  return bytes;
}

std::size_t give_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  for (;;) {
    const ssize_t read = ::read(exchange.upload.get(), data, size * count);
    if (read >= 0) return static_cast<std::size_t>(read);
    if (errno == EINTR) continue;
    exchange.file_error = errno;
    return CURL_READFUNC_ABORT;
  }
}

int rewind_body(void* user, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(user);
  return ::lseek(exchange.upload.get(), offset, origin) < 0 ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

bool clean_header(const std::string& text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
}

Failure file_failure(int error, const fs::path& path) {
  return errno_failure(error, "can't read or write " + path.filename().string());
}

void set_limits(CURL* easy, const HttpLimits& limits) {
  set_option(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.count()));
  set_option(easy, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(limits.total.count())));
  if (limits.least_bytes_per_second > 0) {
    set_option(easy, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(limits.least_bytes_per_second));
    set_option(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.stall.count()));
  }
}

void set_callbacks(CURL* easy, Exchange& exchange, Sink& sink) {
  set_option(easy, CURLOPT_HEADERFUNCTION, &take_header);
  set_option(easy, CURLOPT_HEADERDATA, &exchange);
  set_option(easy, CURLOPT_WRITEFUNCTION, &take_body);
  set_option(easy, CURLOPT_WRITEDATA, &sink);
}

std::unique_ptr<curl_mime, MimeDeleter> make_form(CURL* easy, const std::vector<FormPart>& parts) {
  std::unique_ptr<curl_mime, MimeDeleter> form(curl_mime_init(easy));
  for (const FormPart& part : parts) {
    curl_mimepart* const made = curl_mime_addpart(form.get());
    curl_mime_name(made, part.name.c_str());
    if (part.file.empty()) {
      curl_mime_data(made, part.value.data(), part.value.size());
    } else {
      curl_mime_filedata(made, part.file.c_str());
    }
    if (!part.file_name.empty()) curl_mime_filename(made, part.file_name.c_str());
    if (!part.type.empty()) curl_mime_type(made, part.type.c_str());
  }
  return form;
}

Status set_upload(CURL* easy, Exchange& exchange, const fs::path& file) {
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  exchange.upload = FileDescriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (error || !exchange.upload) return file_failure(error ? error.value() : errno, file);
  set_option(easy, CURLOPT_UPLOAD, 1L);
  set_option(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(bytes));
  set_option(easy, CURLOPT_READFUNCTION, &give_body);
  set_option(easy, CURLOPT_READDATA, &exchange);
  set_option(easy, CURLOPT_SEEKFUNCTION, &rewind_body);
  set_option(easy, CURLOPT_SEEKDATA, &exchange);
  return ok_status();
}

using Headers = std::unique_ptr<curl_slist, ListDeleter>;

void append(Headers& headers, const std::string& line) {
  headers.reset(curl_slist_append(headers.release(), line.c_str()));
}

Result<Headers> make_headers(const HttpRequest& request) {
  Headers headers;
  append(headers, "Expect:");  // what is not asked for is not sent
  bool typed = std::holds_alternative<std::vector<FormPart>>(request.body);
  for (const auto& [name, value] : request.headers) {
    if (!clean_header(name) || !clean_header(value)) {
      return failure(FailureKind::kInvalid,
                     "the header " + percent_encode(name) + " has line breaks");
    }
    typed = typed || lower_case(name) == "content-type";
    // An empty value is written with a semicolon: with a colon libcurl would leave it out.
    append(headers, value.empty() ? name + ";" : name + ": " + value);
  }
  if (!typed) append(headers, "Content-Type:");
  return headers;
}

// A method that usually carries a body gets an empty one: many servers want to see its length.
std::optional<std::string_view> text_body(const HttpRequest& request) {
  if (const auto* text = std::get_if<std::string>(&request.body)) return *text;
  const bool carries =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (carries && std::holds_alternative<std::monostate>(request.body)) return "";
  return std::nullopt;
}

Failure describe(CURL* easy, CURLcode code, const Exchange& exchange, const WebAddress& address) {
  if (exchange.too_large) {
    return failure(FailureKind::kTooLarge,
                   address.host + " answers with more than " +
                       std::to_string(exchange.request.limits.answer_bytes) + " bytes");
  }
  if (exchange.file_error != 0) {
    const auto* upload = std::get_if<fs::path>(&exchange.request.body);
    return file_failure(exchange.file_error,
                        upload ? *upload : exchange.request.save_to.value_or("a file"));
  }
  return describe_curl(easy, code, exchange.gate, address.host);
}

}  // namespace

CurlTransfer::CurlTransfer() : multi_(curl_multi_init()), easy_(curl_easy_init()) {
  CHECK(multi_ && easy_, "libcurl has memory");
}

Result<HttpAnswer> CurlTransfer::exchange(const HttpRequest& request, const WebAddress& address,
                                          const CancelToken& cancel) {
  CURL* const easy = easy_.get();
  curl_easy_reset(easy);
  Exchange exchange{request, {request.egress, ""}};
  Sink sink{exchange, easy};
  set_policy(easy, exchange.gate);
  set_option(easy, CURLOPT_BUFFERSIZE, static_cast<long>(kReadBytes));
  set_option(easy, CURLOPT_USERAGENT, "pytoon");
  set_limits(easy, request.limits);
  set_callbacks(easy, exchange, sink);
  set_option(easy, CURLOPT_URL, address.url.c_str());
  Result<Headers> headers = make_headers(request);
  if (!headers) return headers.failure();
  set_option(easy, CURLOPT_HTTPHEADER, headers->get());
  std::unique_ptr<curl_mime, MimeDeleter> form;
  if (const std::optional<std::string_view> text = text_body(request)) {
    set_option(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text->size()));
    set_option(easy, CURLOPT_POSTFIELDS, text->data());
  } else if (const auto* parts = std::get_if<std::vector<FormPart>>(&request.body)) {
    form = make_form(easy, *parts);
    set_option(easy, CURLOPT_MIMEPOST, form.get());
  } else if (const auto* file = std::get_if<fs::path>(&request.body)) {
    if (Status opened = set_upload(easy, exchange, *file); !opened) return opened.failure();
  }
  if (request.method == "HEAD") set_option(easy, CURLOPT_NOBODY, 1L);
  set_option(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.save_to) {
    exchange.download = FileDescriptor(
        ::open(request.save_to->c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!exchange.download) return file_failure(errno, *request.save_to);
  }
  const CurlAttached attached(multi_.get(), easy);
  const std::optional<CURLcode> code = drive(multi_.get(), cancel);
  if (!code) return failure(FailureKind::kCancelled, "cancelled while talking to " + address.host);
  if (*code != CURLE_OK) return describe(easy, *code, exchange, address);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  exchange.answer.status = static_cast<int>(status);
  return std::move(exchange.answer);
}

}  // namespace pytoon
