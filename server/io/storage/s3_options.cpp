#include "server/io/storage/s3_options.h"

#include "base/web_address.h"

namespace pytoon::io {
namespace {

Failure wrong(const std::string& variable, const std::string& why) {
  return failure(FailureKind::kInvalid, variable + " " + why);
}

// Source: docs.aws.amazon.com, "Bucket naming rules".
bool is_bucket_name(const std::string& name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  if (name.size() < 3 || name.size() > 63) return false;
  const bool plain = name.find_first_not_of(std::string(kLetters) + ".-") == std::string::npos;
  const bool ends = kLetters.find(name.front()) != std::string_view::npos &&
                    kLetters.find(name.back()) != std::string_view::npos;
  return plain && ends && name.find("..") == std::string::npos;
}

bool is_plain(const std::string& text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

bool is_region(const std::string& text) {
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

Status read_endpoint(const std::string& endpoint, S3Options& options) {
  const Result<WebAddress> address = parse_web_address(endpoint);
  if (!address) {
    return wrong("S3_ENDPOINT",
                 "must be http://host[:port] or https://...: " + address.failure().detail);
  }
  const std::size_t scheme_end = address->origin.find("://");
  options.scheme = address->origin.substr(0, scheme_end);
  options.host = address->origin.substr(scheme_end + 3);
  const std::string own_port = options.scheme == "https" ? ":443" : ":80";
  if (options.host.ends_with(own_port)) {
    options.host.resize(options.host.size() - own_port.size());
  }
  // Nothing may follow the host: neither a path nor a query.
  const std::size_t after = address->url.find('/', scheme_end + 3);
  if (after != std::string::npos && after + 1 < address->url.size()) {
    return wrong("S3_ENDPOINT", "must end after the host and port");
  }
  return ok_status();
}

}  // namespace

Result<S3Options> make_s3_options(const S3Settings& settings) {
  S3Options options;
  const std::string region = settings.region.empty() ? "us-east-1" : settings.region;
  if (!is_region(region)) return wrong("S3_REGION", "has letters that no region has");
  if (settings.endpoint.empty()) {
    options.scheme = "https";
    options.host = "s3." + region + ".amazonaws.com";
  } else if (Status read = read_endpoint(settings.endpoint, options); !read) {
    return read.failure();
  }
  if (settings.bucket.empty()) return wrong("S3_BUCKET", "must be set when STORAGE_BACKEND=s3");
  if (!is_bucket_name(settings.bucket)) {
    return wrong("S3_BUCKET", "must be 3 to 63 small letters, digits, dots and hyphens");
  }
  if (settings.access_key.empty() || !is_plain(settings.access_key)) {
    return wrong("S3_ACCESS_KEY", "must be set to the id of a key of the store");
  }
  if (settings.secret_key.empty() || !is_plain(settings.secret_key)) {
    return wrong("S3_SECRET_KEY", "must be set to the secret of that key");
  }
  // A bucket with a dot does not match Amazon's certificate as a host name.
  const bool dotted = settings.bucket.find('.') != std::string::npos;
  options.path_style = dotted || !options.host.ends_with(".amazonaws.com");
  options.bucket = settings.bucket;
  options.credentials = {settings.access_key, settings.secret_key, region};
  return options;
}

}  // namespace pytoon::io
